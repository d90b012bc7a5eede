#!/usr/bin/python3
"""Makes a file of referrals, and beside it what an import of it has to come to.

    import_rows.py FILE ROWS [SEED]

writes FILE, FILE.expected (the file of refused rows) and prints one line of JSON: how
many rows create a lead, come again, and are refused. The same arguments make the same
bytes. Of a hundred rows five are bad and ten are people who came before, half of them
with the same words; fields hold quotes, commas and line breaks here and there."""
import json
import random
import sys

HEADER = "email,first_name,last_name,phone,company,message"
UNREACHABLE = "no way to reach the person: give an email, a phone number or a profile"
RAGGED = "column 7: there is a value beyond the 6 columns of the header"


def field(text):
    if any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def person(number, chance):
    message = "asked for a call"
    if number % 11 == 0:
        message = 'said "call me, please"'
    if number % 17 == 0:
        message = "first line\nsecond line"
    return [f"person{number}@example{number % 997}.com", f"Given{chance.randrange(1000)}",
            f"Family{number}", "", f"Company {number % 5000}, Inc.", message]


def bad(number, kind):
    """A record and why it is refused."""
    if kind == 0:
        return ["", "Nobody", f"Silent{number}", "", "", "no way to reach"], UNREACHABLE
    if kind == 1:
        return [f"not an address {number}", "Odd", "Mail", "", "", ""], UNREACHABLE
    return ["a@example.com", "Too", "Many", "", "", "", "fields", str(number)], RAGGED


def main():
    path, rows = sys.argv[1], int(sys.argv[2])
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    created = again = refused = 0
    line = 2
    with open(path, "w", newline="") as out, open(path + ".expected", "w", newline="") as rejects:
        out.write(HEADER + "\n")
        rejects.write("leadgate_line,leadgate_reason," + HEADER + "\n")
        known = []
        for number in range(rows):
            kind = chance.randrange(100)
            reason = None
            if kind < 5:
                record, reason = bad(number, number % 3)
                refused += 1
            elif kind < 15 and known:
                record = list(known[chance.randrange(len(known))])
                if kind < 10:
                    record[5] = f"came again as row {number}"
                again += 1
            else:
                record = person(number, chance)
                created += 1
                if len(known) < 1000:
                    known.append(record)
                else:
                    known[chance.randrange(1000)] = record
            text = ",".join(map(field, record))
            out.write(text + "\n")
            if reason:
                rejects.write(f"{line},{field(reason)},{text}\n")
            line += 1 + text.count("\n")
    print(json.dumps({"rows": rows, "created": created, "again": again, "refused": refused}))


if __name__ == "__main__":
    main()
