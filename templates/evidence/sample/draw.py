"""Draws the sample again: python3 draw.py SEED N < population.txt"""

import hashlib
import sys

seed, n = sys.argv[1], int(sys.argv[2])
items = sys.stdin.buffer.read().decode("utf-8").split("\n")[:-1]
items.sort(key=lambda item: hashlib.sha256(f"{seed}\n{item}".encode("utf-8")).hexdigest())
sys.stdout.buffer.write("".join(item + "\n" for item in items[:n]).encode("utf-8"))
