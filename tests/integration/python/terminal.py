"""Runs a program at a terminal, answers its questions in the order of ANSWERS, and prints what the terminal showed.

ANSWERS is a JSON list of [question, answer]. An answer is typed when its question appears after the previous answer.
"""

import json, os, pty, select, sys, time

answers = [(question.encode(), answer.encode()) for question, answer in json.loads(os.environ.pop("ANSWERS"))]
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown, seen = b"", 0
deadline = time.monotonic() + 120
while time.monotonic() < deadline:
    ready, _, _ = select.select([terminal], [], [], 1)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # The program has ended.
            break
        if not data:
            break
        shown += data
    if answers and answers[0][0] in shown[seen:] and shown.rstrip(b" ").endswith(b":"):
        time.sleep(0.05)  # The prompt is written before echo is read back by the terminal.
        os.write(terminal, answers.pop(0)[1] + b"\n")
        seen = len(shown)
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status) or (1 if answers else 0))
