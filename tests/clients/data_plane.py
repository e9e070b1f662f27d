"""boto3's iot-data against a broker: prints one JSON line per question, [name, answer or error]. Arguments: endpoint, key id, secret."""
import json
import sys

import boto3
import botocore.config
import botocore.exceptions

endpoint, key_id, secret = sys.argv[1:4]
data = boto3.client('iot-data', endpoint_url=endpoint, region_name='us-east-1', aws_access_key_id=key_id, aws_secret_access_key=secret,
                    config=botocore.config.Config(retries={'max_attempts': 0}))


def plain(value):
    if isinstance(value, bytes):
        return value.decode('latin-1')
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != 'ResponseMetadata'}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value.read().decode('latin-1') if hasattr(value, 'read') else value


def say(name, operation, **arguments):
    try:
        answer = plain(getattr(data, operation)(**arguments))
    except botocore.exceptions.ClientError as e:
        answer = '%d %s %s' % (e.response['ResponseMetadata']['HTTPStatusCode'], e.response['Error']['Code'], type(e).__name__)
    print(json.dumps([name, answer]))


thing = {'thingName': 'lamp'}
say('nothing', 'get_thing_shadow', **thing)
say('update', 'update_thing_shadow', payload=b'{"state":{"desired":{"on":true}}}', **thing)
say('get', 'get_thing_shadow', **thing)
say('conflict', 'update_thing_shadow', payload=b'{"state":{},"version":7}', **thing)
say('not json', 'update_thing_shadow', payload=b'{', **thing)
say('not utf-8', 'update_thing_shadow', payload=b'{"state":{"desired":{"a":"\xff"}}}', **thing)
say('large', 'update_thing_shadow', payload=b'{"state":{"desired":{"a":"' + b'x' * 70000 + b'"}}}', **thing)
say('named', 'update_thing_shadow', shadowName='$night', payload=b'{"state":{"reported":{"dim":1}}}', **thing)
say('names', 'list_named_shadows_for_thing', **thing)
say('names of nobody', 'list_named_shadows_for_thing', thingName='nobody')
say('page too large', 'list_named_shadows_for_thing', thingName='lamp', pageSize=101)
say('bad name', 'get_thing_shadow', thingName='a b')
say('delete', 'delete_thing_shadow', shadowName='$night', **thing)
say('deleted', 'delete_thing_shadow', shadowName='$night', **thing)
say('publish', 'publish', topic='a/b c/\u00fc', qos=1, retain=True, payload=bytes(range(256)), contentType='text/plain', responseTopic='r/1',
    correlationData='AP8=', messageExpiry=300, payloadFormatIndicator='UNSPECIFIED_BYTES', userProperties='[{"a":"1"},{"a":"2"}]')
say('a list', 'publish', topic='a/list', userProperties=[{'b': '3'}])
say('empty', 'publish', topic='plain')
say('wildcard', 'publish', topic='a/#')
say('reserved', 'publish', topic='$SYS/x')
say('large message', 'publish', topic='a', payload=bytes(128 * 1024 + 1))
say('retained', 'get_retained_message', topic='a/b c/\u00fc')
say('not retained', 'get_retained_message', topic='plain')
for topic in ['r/%d' % i for i in range(7)]:
    data.publish(topic=topic, retain=True, payload=topic)
print(json.dumps(['pages', [m['topic'] for page in data.get_paginator('list_retained_messages').paginate(PaginationConfig={'PageSize': 3})
                            for m in page['retainedTopics']]]))
say('bad token', 'list_retained_messages', nextToken='zz')
say('one page', 'list_retained_messages', maxResults=2)
