"""Exit status 0 when the program answers."""
import urllib.request

urllib.request.urlopen("http://127.0.0.1:8000/notes", timeout=2).read()
