import subprocess,time,signal,sys
for extra in (['--init'],[]):
  for cmd in (['sh','-c','echo hi; sleep 1000; true'],['sleep','1000']):
    p=subprocess.Popen(['compose','container','run','--rm',*extra,'busybox',*cmd],stdin=subprocess.DEVNULL)
    time.sleep(1)
    p.send_signal(signal.SIGINT)
    try: print(extra,cmd,p.wait(3),flush=True)
    except Exception as e:
        print(extra,cmd,'alive',flush=True); subprocess.run('compose container rm -f $(compose container ls -q)',shell=True,stdout=subprocess.DEVNULL); p.wait()
