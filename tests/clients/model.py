"""Inputs that the model of this botocore forbids: each constraint of each member broken once, the answer must be the model's InvalidRequest.

Operations that it lacks, and our own, have a model made from their rows (rows.py). Argument: the file of the setup. What is not refused, or refused for something else, is a line that begins with BAD.
"""
import json
import sys

import botocore.exceptions

import checked
import rows
import table
from samples import broken, sample, wire_name

with open(sys.argv[1]) as f:
    setup = json.load(f)
counts = {'operations': 0, 'checked': 0, 'refused': 0}
instead = {}  # members of the body as they are to be sent: botocore's serializer knows no wrong types
whole = []  # the body as it is to be sent


def put_instead(params, **_):
    if whole:
        params['body'] = json.dumps(whole[0]).encode()
    elif instead:
        params['body'] = json.dumps({**json.loads(params['body'] or b'{}'), **instead}).encode()


def refused(ask, operation, name, what, inputs):
    counts['checked'] += 1
    try:
        ask(**inputs)
    except botocore.exceptions.ClientError as e:
        error = e.response['Error']
        if error['Code'] != 'InvalidRequestException' or 'validation error' not in error['Message'] or f"'{name}" not in error['Message']:
            checked.bad(operation, name, what, repr(whole or {**inputs, **instead})[:120], 'is refused for something else:', error['Code'], error['Message'][:200])
        counts['refused'] += 1
        return
    checked.bad(operation, name, what, repr(whole or {**inputs, **instead})[:160], 'is not refused')


def check_whole(ask, operation, name, member, base):
    """A structure that is the body; bytes may be anything."""
    for what, value in broken(member, 'body') if member.type_name == 'structure' else ():
        if isinstance(value, dict):
            whole[:] = [value]
            refused(ask, operation, name, what, base)
    whole.clear()


def check(ask, operation, shape):
    base = sample(shape)
    for name, member in shape.members.items():
        place = member.serialization.get('location', 'body')
        said = name[0].lower() + name[1:]  # services of 2018 begin their names with a capital
        if name == shape.serialization.get('payload'):
            check_whole(ask, operation, name, member, base)
            continue
        for what, value in broken(member, place):
            instead.clear()
            if place == 'body':
                instead[wire_name(member, name)] = value
                refused(ask, operation, said, what, base)
            else:
                refused(ask, operation, said, what, {**base, name: value})
        instead.clear()
        if name in shape.required_members and place != 'uri':
            refused(ask, operation, said, 'missing', {k: v for k, v in base.items() if k != name})


def beyond(row):
    """Does botocore lack it? What is done with access keys is refused to keys before it is looked at."""
    newer = any(row['name'] in table.read(service)['newer'] for service in setup['names'])
    return newer or (row['service'] == 'skeeter' and 'AccessKey' not in row['name'])


ours = rows.write(setup, [row for row in setup['operations'] if beyond(row)])
for service, names in (*setup['names'].items(), *ours.items()):
    client = checked.client(service, setup['endpoint'], setup['id'], setup['secret'], validate=False)
    client.meta.events.register(f'before-call.{client.meta.service_model.service_id.hyphenize()}', put_instead)
    methods = {v: k for k, v in client.meta.method_to_api_mapping.items()}
    for operation in sorted(set(names) & set(methods)):
        shape = client.meta.service_model.operation_model(operation).input_shape
        if shape is not None:
            counts['operations'] += 1
            check(getattr(client, methods[operation]), operation, shape)
print(*(f'{k} {v}' for k, v in counts.items()))
