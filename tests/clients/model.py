"""Inputs that the model of this botocore forbids: each constraint of each member broken once, the answer must be the model's InvalidRequest.

Arguments: endpoint, key id, secret, then the names of the operations that the broker has. What is not refused, or refused for something else, is a
line that begins with BAD.
"""
import json
import re
import sys

import botocore.exceptions

import checked

endpoint, key_id, secret = sys.argv[1:4]
here = set(sys.argv[4:])
iot = checked.client('iot', endpoint, key_id, secret, validate=False)
model = iot.meta.service_model
counts = {'checked': 0, 'refused': 0}
instead = {}  # members of the body as they are to be sent: botocore's serializer knows no wrong types


def put_instead(params, **_):
    if instead:
        params['body'] = json.dumps({**json.loads(params['body'] or b'{}'), **instead}).encode()


iot.meta.events.register('before-call.iot', put_instead)
# What has no pattern in the model.
SAMPLES = {'policyDocument': '{}', 'templateBody': '{}'}


def pattern_of(shape):
    pattern = shape.metadata.get('pattern')
    if not pattern or '\\p' in pattern:
        return None
    return re.compile(pattern)


def sample(shape, name=''):
    """Something that the shape allows."""
    kind = shape.type_name
    if kind == 'structure':
        return {n: sample(m, n) for n, m in shape.members.items() if n in shape.required_members}
    if kind == 'list':
        return [sample(shape.member)] * max(1, shape.metadata.get('min', 0))
    if kind == 'map':
        return {sample(shape.key): sample(shape.value)}
    if kind in ('integer', 'long'):
        return max(1, shape.metadata.get('min', 1))
    if kind == 'boolean':
        return True
    if getattr(shape, 'enum', None):
        return shape.enum[0]
    if name in SAMPLES:
        return SAMPLES[name]
    pattern, least = pattern_of(shape), max(1, shape.metadata.get('min', 1))
    for text in ('a', '1', 'ab', 'arn:aws:iot:us-east-1:123456789012:thing/x', 'arn:aws:acm:us-east-1:123456789012:certificate/1', 'AAAA'):
        text = text if len(text) >= least else (text * least)[:least]
        if not pattern or pattern.fullmatch(text):
            return text
    raise ValueError(f'no sample for {shape.name} {shape.metadata}')


def faults(shape, place):
    """(what, value) for each constraint of the shape, broken; place: uri, querystring, header or body."""
    kind, meta = shape.type_name, shape.metadata
    if kind == 'string' and not getattr(shape, 'enum', None):
        if meta.get('max', 1 << 30) < 70000 and place != 'header':
            yield 'too long', 'a' * (meta['max'] + 1)
        if meta.get('min', 0) > 1 or (meta.get('min', 0) == 1 and place == 'body'):
            yield 'too short', 'a' * (meta['min'] - 1)
        pattern = pattern_of(shape)
        for text in (' ', 'a b!', '%', '\u00e9\u00e9', '/') if pattern else ():
            text = (text * 70)[:max(len(text), meta.get('min', 1))]
            if not pattern.fullmatch(text) and place != 'header':
                yield 'pattern', text
                break
    if getattr(shape, 'enum', None):
        yield 'enum', 'NONE_OF_IT'
    if kind in ('integer', 'long'):
        if 'max' in meta and meta['max'] < 1 << 40:
            yield 'too large', meta['max'] + 1
        if meta.get('min', 0) > 0:
            yield 'too small', meta['min'] - 1
    if place != 'body':
        return
    if kind in ('string', 'structure', 'list', 'map', 'boolean', 'integer', 'long'):
        yield 'type', {'string': 5, 'boolean': 'x', 'integer': 'x', 'long': 'x'}.get(kind, 'x')
    if kind == 'list' and 'max' in meta and meta['max'] < 100:
        yield 'too many', [sample(shape.member)] * (meta['max'] + 1)
    if kind == 'list' and meta.get('min', 0) > 0:
        yield 'too few', []


def broken(shape, place, depth=0):
    """The same, and what is broken inside."""
    yield from faults(shape, place)
    if place != 'body' or depth > 4:
        return
    if shape.type_name == 'structure':
        for name, member in shape.members.items():
            base = sample(shape)
            for what, value in broken(member, place, depth + 1):
                yield f'{name} {what}', {**base, name: value}
            if name in shape.required_members:
                yield f'{name} missing', {k: v for k, v in base.items() if k != name}
    if shape.type_name == 'list':
        for what, value in broken(shape.member, place, depth + 1):
            yield f'element {what}', [value] * max(1, shape.metadata.get('min', 0))
    if shape.type_name == 'map':
        for what, value in faults(shape.key, place):
            if isinstance(value, str):
                yield f'key {what}', {value: sample(shape.value)}
        for what, value in broken(shape.value, place, depth + 1):
            yield f'value {what}', {sample(shape.key): value}


def refused(operation, name, what, inputs, body=None):
    counts['checked'] += 1
    instead.clear()
    instead.update(body or {})
    try:
        getattr(iot, METHODS[operation])(**inputs)
    except botocore.exceptions.ClientError as e:
        error = e.response['Error']
        if error['Code'] != 'InvalidRequestException' or 'validation error' not in error['Message'] or f"'{name}" not in error['Message']:
            checked.bad(operation, name, what, repr({**inputs, **instead})[:120], 'is refused for something else:', error['Code'], error['Message'][:200])
        counts['refused'] += 1
        return
    checked.bad(operation, name, what, repr({**inputs, **instead})[:160], 'is not refused')


METHODS = {v: k for k, v in iot.meta.method_to_api_mapping.items()}
for operation in sorted(here & set(model.operation_names)):
    shape = model.operation_model(operation).input_shape
    if shape is None:
        continue
    base = sample(shape)
    for name, member in shape.members.items():
        place = member.serialization.get('location', 'body')
        for what, value in broken(member, place):
            if place == 'body':
                refused(operation, name, what, base, {member.serialization.get('name', name): value})
            else:
                refused(operation, name, what, {**base, name: value})
        if name in shape.required_members and place != 'uri':
            refused(operation, name, 'missing', {k: v for k, v in base.items() if k != name})
print('checked', counts['checked'], 'refused', counts['refused'])
