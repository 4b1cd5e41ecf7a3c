"""A python-socketio client that a test drives: one JSON command a line on stdin, one JSON answer a line on stdout.

connect {url, auth, transport} -> {ok, problem?}    call {event, payload} -> {ok, answer}
heard {}                       -> {ok, events}      disconnect {}         -> {ok}
"""

import json
import sys
import threading

import socketio
from socketio.exceptions import ConnectionError as Refused

ANSWER_SECONDS = 10


class Driver:
    def __init__(self):
        self.lock = threading.Lock()
        self.events = []
        self.problem = None
        self.client = self.new_client()

    def new_client(self):
        client = socketio.Client(reconnection=False)
        client.on("*", self.note)
        client.on("connect_error", self.refused)
        client.on("disconnect", lambda *reason: self.note("disconnect", *reason))
        return client

    def note(self, name, *payload):
        with self.lock:
            self.events.append([name, payload[0] if payload else None])

    def refused(self, problem):
        self.problem = problem

    def connect(self, url, auth, transport):
        self.client = self.new_client()
        self.problem = None
        try:
            self.client.connect(url, auth=auth, transports=[transport], wait_timeout=ANSWER_SECONDS)
        except Refused:
            return {"ok": False, "problem": self.problem}
        return {"ok": True, "transport": self.client.transport()}

    def call(self, event, payload):
        return {"ok": True, "answer": self.client.call(event, payload, timeout=ANSWER_SECONDS)}

    def heard(self):
        with self.lock:
            return {"ok": True, "events": list(self.events)}

    def disconnect(self):
        self.client.disconnect()
        return {"ok": True}


driver = Driver()
for line in sys.stdin:
    command = json.loads(line)
    answer = getattr(driver, command.pop("do"))(**command)
    print(json.dumps(answer), flush=True)
driver.client.disconnect()
