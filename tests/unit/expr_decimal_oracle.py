#!/usr/bin/python3
"""expr_decimal_oracle.py -- cases for expr/decimal.c, computed by Python's decimal.

    expr_decimal_oracle.py SEED COUNT        lines `op x y result`; the result is coefficient E exponent, `none` beyond the range

Operands are what goes wrong: coefficients of nines, fives and zeros, of one digit and of 34, exponents next to each other, 34
apart and at both ends of the range, neighbours of halves. Zeros at the end of a result count: its exponent is compared too."""
import decimal
import random
import sys

DIGITS, MOST, ROOM = 34, 999, 100000
OPS = "+-*/%?" * 2 + "fctae" + "rswpdn"  # as in expr_decimal_test.c
decimal.setcontext(decimal.Context(prec=DIGITS, rounding=decimal.ROUND_HALF_EVEN, Emin=-ROOM, Emax=ROOM, traps=[]))
WIDE = decimal.Context(prec=2 * ROOM, Emin=-ROOM, Emax=ROOM, traps=[])
MODES = {"f": decimal.ROUND_FLOOR, "c": decimal.ROUND_CEILING, "t": decimal.ROUND_DOWN, "a": decimal.ROUND_HALF_UP, "e": decimal.ROUND_HALF_EVEN}


def coefficient(r, most=DIGITS):
    n = r.choice((1, 2, 3, 8, 9, 10, 16, 17, 18, 19, 20, 33, 34, r.randint(1, most)))
    kind = r.randrange(8)
    if kind == 0:
        return int("9" * n)
    if kind == 1:
        return 10 ** (n - 1) + r.choice((0, 1, -1, 5))
    if kind == 2:
        return 5 * 10 ** (n - 1) + r.choice((0, 1, -1))
    if kind == 3:
        return r.randrange(10 ** min(n, 4)) * 10 ** r.randrange(max(n - 4, 1))
    if kind == 4:
        return abs(r.choice((0, 1, 2 ** 63, 2 ** 63 - 1, 2 ** 64, 2 ** 64 - 1, 2 ** 112, 10 ** 17, 10 ** 33)) + r.randint(-1, 1))
    return r.randrange(10 ** n)


def operand(r, near=None):
    c = coefficient(r)
    kind = r.randrange(10)
    if near is not None and kind < 6:
        e = near + r.choice((0, 1, -1, DIGITS, -DIGITS, DIGITS + 1, -DIGITS - 1, r.randint(-70, 70)))
    elif kind < 9:
        e = r.randint(-40, 10)
    else:
        e = r.choice((r.randint(-MOST, MOST), MOST - DIGITS, -MOST, MOST))
    e = max(-MOST, min(MOST + 1 - len(str(c)), e))
    return decimal.Decimal((r.randrange(2), tuple(map(int, str(c))), e)) if c else decimal.Decimal((0, (0,), e))


def settled(d):
    if d.is_nan() or d.is_infinite():
        return None
    sign, digits, e = d.as_tuple()
    if not d:
        return decimal.Decimal((0, (0,), max(-MOST, min(MOST, e))))
    if d.adjusted() > MOST:
        return None
    return decimal.Decimal((0, (0,), 0)) if d.adjusted() < -MOST else d


def shown(d):
    d = settled(d)
    if d is None:
        return "none"
    sign, digits, e = d.as_tuple()
    return "%s%sE%d" % ("-" * sign, "".join(map(str, digits)), e)


def rounded(d, places, mode):
    return d if places >= -d.as_tuple().exponent else d.quantize(decimal.Decimal((0, (1,), -places)), mode, WIDE)


def remainder(x, y):
    """Exact whatever the distance of the exponents; decimal's own gives up when the quotient has more than 34 digits."""
    return WIDE.remainder(x, y)


def stripped(d):
    return WIDE.normalize(d) if d else decimal.Decimal(0)


def whole(d):
    _, digits, e = d.as_tuple()
    if d != WIDE.to_integral_value(d) or (d and d.adjusted() >= DIGITS):
        return d
    return WIDE.quantize(d, decimal.Decimal(1))


def text(r):
    """A number with any digits, as a payload may have it."""
    digits = "".join(r.choice("0123456789") for _ in range(r.choice((1, 5, 33, 34, 35, 36, 40, 70, 200))))
    if r.randrange(3) == 0:
        cut = r.randint(1, len(digits))
        digits = digits[:cut] + "5" + r.choice("01") * r.randrange(150)
    point = r.randint(1, len(digits))
    exponent = r.choice(("", "", "e%d" % r.randint(-60, 60), "E%+d" % r.randint(-1100, 1100), "e0", "E-0009", "e99999999999", "E-99999999999"))
    return r.choice(("", "-")) + digits[:point] + ("." + digits[point:] if point < len(digits) else "") + exponent


def read(s):
    return +WIDE.create_decimal(s.replace("99999999999", "9999"))


def case(r):
    op = r.choice(OPS)
    x = operand(r)
    y = operand(r, x.as_tuple().exponent)
    if op in MODES:
        places = r.choice((0, 1, 2, r.randint(-40, 40), -x.adjusted(), -x.adjusted() - 1, -x.as_tuple().exponent - 1))
        return op, x, places, shown(rounded(x, places, MODES[op]))
    if op == "r":
        s = text(r)
        return op, s, "-", shown(read(s))
    if op in "/%" and not y:
        op = "+"
    if op == "?":
        y = r.choice((y, y, x, -x, x + decimal.Decimal((0, (1,), x.as_tuple().exponent))))
        if settled(y) is None:
            y = x
        return op, x, y, int(WIDE.compare(x, y))
    if op == "d":
        return op, x, "-", float(x).hex()
    if op == "n":
        fits = not x or x.adjusted() < 20 and x == WIDE.to_integral_value(x) and -(1 << 63) <= x < 1 << 63
        return op, x, "-", int(x) if fits else "none"
    if op == "p":
        return op, x, "-", str(x)
    results = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y, "%": lambda: remainder(x, y),
               "s": lambda: stripped(x), "w": lambda: whole(x)}
    return op, x, y if op in "+-*/%" else "-", shown(results[op]())


def main(seed, count):
    r = random.Random(seed)
    for _ in range(count):
        print(*case(r))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
