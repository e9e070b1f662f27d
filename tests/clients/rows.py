"""Models, as botocore reads them, of operations that are newer than botocore or our own: from the rows that ListOperations tells, and *.shapes.

An output is not described by rows, so it is not held against anything.
"""
import glob
import json
import os
import re

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
SHAPE = re.compile(r'^([A-Z]+)\((\w+)((?:,\s*(?:[\w-]+|(?:"(?:[^"\\]|\\.)*"\s*)+))*)\)', re.M)
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([\w-]+)')
TYPES = {'STRING': 'string', 'INTEGER': 'integer', 'LONG': 'long', 'NUMBER': 'double', 'BOOLEAN': 'boolean', 'ENUM': 'string', 'STRUCT': 'structure',
         'LIST': 'list', 'MAP': 'map', 'TIMESTAMP': 'timestamp', 'ANY': 'string'}
PLACES = {'path': 'uri', 'query': 'querystring', 'header': 'header'}
FAULT = 'InvalidRequestException'


def arguments(text):
    """What stands between the brackets: words, and texts whose pieces are joined."""
    out, joined = [], False
    for m in WORD.finditer(text):
        piece = m[1] is not None and m[1].replace('\\\\', '\\').replace('\\"', '"')
        if m[1] is None:
            out.append(m[2])
        elif joined and ',' not in text[end:m.start()]:
            out[-1] += piece
        else:
            out.append(piece)
        joined, end = m[1] is not None, m.end()
    return out


def bounds(low, high):
    """0, 0 is no bound."""
    limits = {'min': low, 'max': high} if (low, high) != ('0', '0') else {}
    return {k: int(v) for k, v in limits.items() if not v.startswith('INT')}


def members(text):
    """A structure's members: name, name!, name:Type."""
    words = [re.fullmatch(r'(\w+)(!?)(?::(\w+))?(!?)', word) for word in text.split()]
    return {'members': {w[1]: {'shape': w[3] or w[1][0].upper() + w[1][1:]} for w in words}, 'required': [w[1] for w in words if w[2] or w[4]]}


def shape(kind, words):
    out = {'type': TYPES[kind]}
    if kind in ('STRING', 'INTEGER', 'LONG', 'NUMBER'):
        out.update(bounds(words[0], words[1]))
    if kind == 'STRING' and words[2]:
        out['pattern'] = words[2]
    if kind == 'ENUM':
        out['enum'] = words[0].split()
    if kind == 'STRUCT':
        out.update(members(words[0]))
    if kind == 'LIST':
        out.update(bounds(words[1], words[2]), member={'shape': words[0]})
    if kind == 'MAP':
        out.update(key={'shape': words[0]}, value={'shape': words[1]})
    return out


def all_shapes(plugins):
    """Of the plugins that are loaded: others would add members to their types."""
    out = {FAULT: {'type': 'structure', 'members': {}, 'error': {'httpStatusCode': 400}, 'exception': True}}
    found = []
    for name in [f'{ROOT}/core/common.shapes', *(name for plugin in plugins for name in glob.glob(f'{ROOT}/plugins/{plugin}/*.shapes'))]:
        with open(name) as f:
            found += [(m[1], m[2], arguments(m[3])) for m in SHAPE.finditer(f.read())]
    out.update({name: shape(kind, words) for kind, name, words in found if kind != 'MEMBER'})
    for kind, name, words in found:
        if kind == 'MEMBER':
            out[name]['members'].update(members(words[0])['members'])
    return out


def place(one):
    where = {'location': PLACES[one['in']], 'locationName': one.get('wire', one['name'])} if one['in'] in PLACES else {}
    return {'shape': one['type'], **where}


def model(service, operations, plugins):
    shapes, rows = all_shapes(plugins), {}
    for row in operations:
        shapes[f"{row['name']}Request"] = {'type': 'structure', 'members': {i['name']: place(i) for i in row['inputs']},
                                           'required': [i['name'] for i in row['inputs'] if i.get('required')]}
        rows[row['name']] = {'name': row['name'], 'http': {'method': row['method'], 'requestUri': re.sub(r':\w+}', '}', row['route'])},
                             'input': {'shape': f"{row['name']}Request"}, 'errors': [{'shape': FAULT}]}
    metadata = {'apiVersion': '2015-05-28', 'endpointPrefix': service, 'protocol': 'rest-json', 'serviceFullName': service, 'serviceId': f'{service} rows',
                'signatureVersion': 'v4', 'signingName': service}
    return {'version': '2.0', 'metadata': metadata, 'operations': rows, 'shapes': shapes}


def write(setup, operations):
    """Puts the models where botocore finds them: the names of the services with their operations."""
    folder = f"{setup['folder']}/models"
    services = {}
    for row in operations:
        services.setdefault(row['service'], []).append(row)
    for service, rows in services.items():
        os.makedirs(f'{folder}/{service}-rows/2015-05-28')
        with open(f'{folder}/{service}-rows/2015-05-28/service-2.json', 'w') as f:
            json.dump(model(service, rows, setup['plugins']), f)
    os.environ['AWS_DATA_PATH'] = folder
    return {f'{service}-rows': [row['name'] for row in rows] for service, rows in services.items()}
