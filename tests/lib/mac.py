#!/usr/bin/python3
"""Digests and message authentication codes (RFC 2104) for tests, by Python's hashlib.

    mac.py

reads lines "WHAT KEY TEXT", where WHAT is a digest, such as sha256, or hmac-DIGEST, and the
others are hex, "-" for nothing; it answers each line with hex."""
import hashlib
import hmac
import sys


def unhex(text):
    return b"" if text == "-" else bytes.fromhex(text)


for line in sys.stdin:
    what, key, text = line.split()
    if what.startswith("hmac-"):
        print(hmac.new(unhex(key), unhex(text), what[5:]).hexdigest(), flush=True)
    else:
        print(hashlib.new(what, unhex(text)).hexdigest(), flush=True)
