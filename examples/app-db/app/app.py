"""Notes over HTTP: POST /notes stores the body, GET /notes lists all that were stored. Kept in PostgreSQL."""
import os

import psycopg2
from flask import Flask, jsonify, request

app = Flask(__name__)


def connect():
    return psycopg2.connect(
        host=os.environ["DATABASE_HOST"],
        dbname="app",
        user="app",
        password=os.environ["DATABASE_PASSWORD"],
        connect_timeout=5,
    )


def prepare():
    with connect() as db, db.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)")


@app.get("/notes")
def list_notes():
    with connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT id, text FROM notes ORDER BY id")
        return jsonify([{"id": row[0], "text": row[1]} for row in cursor.fetchall()])


@app.post("/notes")
def add_note():
    with connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO notes (text) VALUES (%s) RETURNING id", (request.get_data(as_text=True),))
        return jsonify({"id": cursor.fetchone()[0]}), 201


if __name__ == "__main__":
    prepare()
    app.run(host="0.0.0.0", port=8000)
