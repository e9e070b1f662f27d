"""Inputs made from a model: what a shape allows, and each of its constraints broken once."""
import re

# What has no pattern in the model but a form all the same.
SAMPLES = {'policyDocument': '{}', 'templateBody': '{}', 'endpointType': 'iot:Data-ATS', 'endpoint': 'https://a',
           'url': 'https://ingestion-a.a.sfdcnow.com/streams/a/a/event'}
TEXTS = ('a', '1', 'ab', 'arn:aws:iot:us-east-1:123456789012:thing/x', 'arn:aws:acm:us-east-1:123456789012:certificate/1',
         'arn:aws:iot1click:us-east-1:123456789012:projects/x', 'C-1234567890', 'AAAA')


def pattern_of(shape):
    pattern = shape.metadata.get('pattern')
    return re.compile(pattern) if pattern and '\\p' not in pattern else None


def sample_text(shape, name):
    if getattr(shape, 'enum', None):
        return shape.enum[0]
    if name in SAMPLES:
        return SAMPLES[name]
    pattern, least = pattern_of(shape), max(1, shape.metadata.get('min', 1))
    for text in TEXTS:
        text = text if len(text) >= least else (text * least)[:least]
        if not pattern or pattern.fullmatch(text):
            return text
    raise ValueError(f'no sample for {shape.name} {shape.metadata}')


def sample(shape, name=''):
    """Something that the shape allows, with what it requires."""
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
    if kind == 'timestamp':
        return 1700000000
    return sample_text(shape, name)


def text_faults(shape, place):
    meta, pattern = shape.metadata, pattern_of(shape)
    if meta.get('max', 1 << 30) < 70000 and place != 'header':
        yield 'too long', 'a' * (meta['max'] + 1)
    if meta.get('min', 0) > 1 or (meta.get('min', 0) == 1 and place == 'body'):
        yield 'too short', 'a' * (meta['min'] - 1)
    for text in (' ', 'a b!', '%', '\u00e9\u00e9', '/') if pattern else ():
        text = (text * 70)[:max(len(text), meta.get('min', 1))]
        if not pattern.fullmatch(text) and place != 'header':
            yield 'pattern', text
            return


def faults(shape, place):
    """(what, value) for each constraint of the shape itself, broken; place: uri, querystring, header or body."""
    kind, meta = shape.type_name, shape.metadata
    if getattr(shape, 'enum', None):
        yield 'enum', 'NONE_OF_IT'
    elif kind == 'string':
        yield from text_faults(shape, place)
    if kind in ('integer', 'long'):
        if 'max' in meta and meta['max'] < 1 << 40:
            yield 'too large', meta['max'] + 1
        if meta.get('min', 0) > 0:
            yield 'too small', meta['min'] - 1
    if place != 'body':
        return
    if kind in ('string', 'structure', 'list', 'map', 'boolean', 'integer', 'long'):
        yield 'type', 5 if kind == 'string' else 'x'
    if kind == 'list' and meta.get('max', 100) < 100:
        yield 'too many', [sample(shape.member)] * (meta['max'] + 1)
    if kind == 'list' and meta.get('min', 0) > 0:
        yield 'too few', []


def wire_name(member, name):
    """Of a member in a body."""
    return member.serialization.get('name', name)


def inside(shape, place, depth):
    """The same for what is in a structure, a list or a map."""
    if shape.type_name == 'structure':
        base = {wire_name(shape.members[n], n): v for n, v in sample(shape).items()}
        for name, member in shape.members.items():
            wire = wire_name(member, name)
            for what, value in broken(member, place, depth):
                yield f'{name} {what}', {**base, wire: value}
            if name in shape.required_members:
                yield f'{name} missing', {k: v for k, v in base.items() if k != wire}
    if shape.type_name == 'list':
        for what, value in broken(shape.member, place, depth):
            yield f'element {what}', [value] * max(1, shape.metadata.get('min', 0))
    if shape.type_name == 'map':
        for what, value in faults(shape.key, place):
            if isinstance(value, str):
                yield f'key {what}', {value: sample(shape.value)}
        for what, value in broken(shape.value, place, depth):
            yield f'value {what}', {sample(shape.key): value}


def broken(shape, place, depth=0):
    """(what, value) for each constraint of the shape and of all that is in it."""
    yield from faults(shape, place)
    if place == 'body' and depth < 5:
        yield from inside(shape, place, depth + 1)
