"""Runs a command with stdout and stderr on one terminal of 100 columns. Prints as JSON what was written there, and what the screen
shows in the end."""

import fcntl, json, os, pty, re, struct, subprocess, sys, termios

ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
os.close(theirs)
written = b""
try:
    while data := os.read(ours, 65536):
        written += data
except OSError:
    pass  # Linux says so where the other side is closed.
text = written.decode()
lines, row, column = [""], 0, 0
for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]", text):
    if part == "\n":
        row += 1
    elif part == "\r":
        column = 0
    elif part.startswith("\x1b"):
        count, command = int(part[2:-1] or 1) if part[2:-1].isdigit() or part[2:-1] == "" else 1, part[-1]
        if command == "A":
            row = max(0, row - count)
        elif command == "B":
            row += count
        elif command == "K":  # The whole line (2), or from the cursor on.
            lines[row] = "" if part[2:-1] == "2" else lines[row][:column]
        elif command == "J":
            lines[row:] = [lines[row][:column]]
        elif command not in "mhl":
            sys.exit(f"unknown control sequence {part!r}")
    else:
        lines[row] = lines[row].ljust(column)[:column] + part + lines[row][column + 1 :]
        column += 1
    lines += [""] * (row + 1 - len(lines))
print(json.dumps({"written": text, "screen": lines, "code": process.wait()}))
