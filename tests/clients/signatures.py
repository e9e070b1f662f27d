"""What botocore signs, header and query, against a broker: prints one line per question. Arguments: endpoint, key id, secret."""
import datetime
import sys
import urllib.error
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions

endpoint, key_id, secret = sys.argv[1:4]


def client(service, key=key_id, password=secret, token=None, region='ap-northeast-1'):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=password,
                        aws_session_token=token, config=botocore.config.Config(retries={'max_attempts': 0}))


def say(name, question):
    try:
        print(name, question())
    except botocore.exceptions.ClientError as e:
        print(name, e.response['ResponseMetadata']['HTTPStatusCode'], e.response['Error']['Code'], e.response['Error']['Message'])
    except urllib.error.HTTPError as e:
        print(name, e.code, e.headers['x-amzn-ErrorType'], e.read().decode())


def presigned(path, seconds, late=0):
    request = botocore.awsrequest.AWSRequest(method='GET', url=endpoint + path)
    auth = botocore.auth.SigV4QueryAuth(botocore.credentials.Credentials(key_id, secret), 'iot', 'ap-northeast-1', expires=seconds)
    now = datetime.datetime.utcnow() - datetime.timedelta(seconds=late)
    auth_datetime = botocore.auth.datetime

    class Then(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return now

        @classmethod
        def now(cls, tz=None):
            return now.replace(tzinfo=tz)

    class Module:
        datetime = Then
    botocore.auth.datetime = Module
    if hasattr(botocore.auth, 'get_current_datetime'):
        botocore.auth.get_current_datetime = lambda remove_tzinfo=True: now
    try:
        auth.add_auth(request)
    finally:
        botocore.auth.datetime = auth_datetime
    return urllib.request.urlopen(request.url).read().decode()


iot, data = client('iot'), client('iot-data')
say('create', lambda: iot.create_thing(thingName='lamp:1', attributePayload={'attributes': {'a': '1'}})['thingArn'])
say('shadow', lambda: data.update_thing_shadow(thingName='lamp:1', shadowName='m:oon', payload=b'{"state":{"reported":{"on":true}}}')['payload'].read()[:8])
say('policy', lambda: iot.create_policy(policyName='a=b,c.d@e-f+g', policyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
                                        '"Action":"iot:*","Resource":"*"}]}')['policyName'])
say('get', lambda: iot.get_policy(policyName='a=b,c.d@e-f+g')['defaultVersionId'])
say('tags', lambda: iot.list_tags_for_resource(resourceArn='arn:aws:iot:ap-northeast-1:123456789012:policy/a=b,c.d@e-f+g')['tags'])
say('presigned', lambda: presigned('/things?maxResults=1', 60)[:12])
say('late', lambda: presigned('/things?maxResults=1', 3600, 3000)[:12])
say('expired', lambda: presigned('/things?maxResults=1', 60, 3000))
say('forged', lambda: client('iot', password='guessed').list_things())
say('stranger', lambda: client('iot', key='AKIAAAAAAAAAAAAAAAAA').list_things())
say('token', lambda: client('iot', token='token').list_things())
