"""The rows of cases/*.json for clients in Python: [operation, input], then what is expected if that is more than success.

An error is expected by its name. An object may have "answer", what the answer must hold at least; "payload", the same of the JSON in the answer's
payload; "keep", names that later rows write as <name> and the members that they stand for, a.b that of a member; "times" and "from": the row again, with <i>.
"""
import base64
import functools
import json
import os
import re

import botocore.exceptions

import checked

HERE = os.path.dirname(os.path.abspath(__file__))


def read(service):
    with open(f'{HERE}/cases/{service}.json') as f:
        return json.load(f)


def filled(value, values):
    """The value with every <name> replaced."""
    if isinstance(value, dict):
        return {k: filled(v, values) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, values) for v in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch('<([a-z0-9-]+)>', value)
    if whole and whole[1] in values:
        return values[whole[1]]
    return re.sub('<([a-z0-9-]+)>', lambda m: str(values[m[1]]), value)


def bytes_of(value):
    """Bytes that JSON cannot say stand as {"base64": ...}."""
    return base64.b64decode(value['base64']) if isinstance(value, dict) and set(value) == {'base64'} else value


def plain(value):
    """A blob as text, byte for byte."""
    if hasattr(value, 'read'):
        value = value.read()
    return value.decode('latin-1') if isinstance(value, bytes) else value


def asker(client):
    """Asks through the client, for run()."""
    methods = {v: k for k, v in client.meta.method_to_api_mapping.items()}

    def ask(operation, inputs, _error):
        try:
            answer = getattr(client, methods[operation])(**{k: bytes_of(v) for k, v in inputs.items()})
        except botocore.exceptions.ClientError as e:
            return e.response['Error']['Code']
        return {k: plain(v) for k, v in answer.items() if k != 'ResponseMetadata'}
    return ask


def holds(answer, expected):
    """Is all that is expected in the answer? A list has as many elements as are expected."""
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(k in answer and holds(answer[k], v) for k, v in expected.items())
    if isinstance(expected, list):
        return isinstance(answer, list) and len(answer) == len(expected) and all(map(holds, answer, expected))
    return answer == expected and isinstance(answer, bool) == isinstance(expected, bool)


def check(row, result, values):
    """What came of a row: an answer, or the name of an error."""
    operation, inputs = row[0], row[1]
    expected = row[2] if len(row) > 2 else {}
    if isinstance(expected, str) or isinstance(result, str):
        if result != expected:
            checked.bad(operation, json.dumps(inputs)[:300], 'gave', str(result)[:500], 'not', expected)
        return
    wanted = filled(expected.get('answer', {}), values)
    if not holds(result, wanted):
        checked.bad(operation, json.dumps(inputs)[:300], 'answered', str(result)[:1500], 'which does not hold', wanted)
    if 'payload' in expected and not holds(json.loads(result['payload']), expected['payload']):
        checked.bad(operation, 'has the payload', result['payload'], 'not', expected['payload'])
    for name, member in expected.get('keep', {}).items():
        values[name] = functools.reduce(lambda at, part: at.get(part, {}), member.split('.'), result)


def run(service, setup, ask, leave_out=()):
    """Each row through ask(operation, inputs, error that is expected or None), which answers an answer or the name of an error."""
    values = dict(setup['values'])
    count = 0
    for row in read(service)['cases']:
        if row[0] in leave_out or row[0] not in setup['names'][service]:
            continue
        expected = row[2] if len(row) > 2 else {}
        error, more = (expected, {}) if isinstance(expected, str) else (None, expected)
        for i in range(more.get('from', 0), more.get('from', 0) + more.get('times', 1)):
            check(row, ask(row[0], filled(row[1], {**values, 'i': str(i)}), error), values)
            count += 1
    return count
