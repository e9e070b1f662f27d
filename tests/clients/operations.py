"""Every operation of `iot` that Debian's boto3 knows and this broker has: with success, and with each error that one account can provoke.

Arguments: endpoint, key id, secret, a folder with ca.crt, ca.key and openssl's reach, then the names of the operations that the broker has.
"""
import json
import subprocess
import sys

import botocore.exceptions

import checked

endpoint, key_id, secret, folder = sys.argv[1:5]
here = set(sys.argv[5:])
iot = checked.client('iot', endpoint, key_id, secret)
ARN = 'arn:aws:iot:us-east-1:123456789012:'
NO_CERT = 'f' * 64
POLICY = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'iot:*', 'Resource': '*'}]})


METHODS = {v: k for k, v in iot.meta.method_to_api_mapping.items()}


def ok(operation, **inputs):
    return getattr(iot, METHODS[operation])(**inputs)


def no(error, operation, **inputs):
    try:
        ok(operation, **inputs)
    except botocore.exceptions.ClientError as e:
        if e.response['Error']['Code'] != error:
            checked.bad(operation, inputs, 'is refused with', e.response['Error'], 'not with', error)
        return
    checked.bad(operation, inputs, 'is not refused')


def openssl(*words):
    subprocess.run(['openssl', *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)


def read(name):
    with open(f'{folder}/{name}') as f:
        return f.read()


def things():
    ok('CreateThingType', thingTypeName='bulb', thingTypeProperties={'thingTypeDescription': 'x', 'searchableAttributes': ['a']}, tags=[{'Key': 'a', 'Value': 'b'}])
    ok('CreateThingType', thingTypeName='old')
    no('ResourceAlreadyExistsException', 'CreateThingType', thingTypeName='bulb', thingTypeProperties={'thingTypeDescription': 'y'})
    ok('DescribeThingType', thingTypeName='bulb')
    no('ResourceNotFoundException', 'DescribeThingType', thingTypeName='none')
    ok('ListThingTypes', maxResults=1)
    ok('DeprecateThingType', thingTypeName='old')
    no('ResourceNotFoundException', 'DeprecateThingType', thingTypeName='none')
    no('InvalidRequestException', 'DeleteThingType', thingTypeName='bulb')
    no('ResourceNotFoundException', 'DeleteThingType', thingTypeName='none')
    ok('CreateBillingGroup', billingGroupName='house', billingGroupProperties={'billingGroupDescription': 'x'}, tags=[{'Key': 'a', 'Value': 'b'}])
    no('ResourceAlreadyExistsException', 'CreateBillingGroup', billingGroupName='house')
    ok('CreateThing', thingName='lamp', thingTypeName='bulb', billingGroupName='house', attributePayload={'attributes': {'a': 'b'}})
    ok('CreateThing', thingName='fan')
    no('ResourceAlreadyExistsException', 'CreateThing', thingName='lamp')
    no('ResourceNotFoundException', 'CreateThing', thingName='x', thingTypeName='none')
    ok('DescribeThing', thingName='lamp')
    no('ResourceNotFoundException', 'DescribeThing', thingName='none')
    no('InvalidRequestException', 'DescribeThing', thingName='a b/c')
    ok('UpdateThing', thingName='lamp', attributePayload={'attributes': {'c': 'd'}, 'merge': True}, expectedVersion=1)
    no('VersionConflictException', 'UpdateThing', thingName='lamp', expectedVersion=1)
    no('ResourceNotFoundException', 'UpdateThing', thingName='none')
    no('InvalidRequestException', 'UpdateThing', thingName='lamp', thingTypeName='bulb', removeThingType=True)
    assert [t['thingName'] for t in iot.get_paginator('list_things').paginate(PaginationConfig={'PageSize': 1}).build_full_result()['things']] == ['fan', 'lamp']
    ok('ListThings', attributeName='a', attributeValue='b', usePrefixAttributeValue=True)
    ok('ListThings', thingTypeName='bulb')
    no('InvalidRequestException', 'ListThings', nextToken='forged')
    no('VersionConflictException', 'DeleteThing', thingName='lamp', expectedVersion=7)


def groups():
    ok('CreateThingGroup', thingGroupName='up', thingGroupProperties={'thingGroupDescription': 'x', 'attributePayload': {'attributes': {'a': 'b'}}}, tags=[{'Key': 'a'}])
    ok('CreateThingGroup', thingGroupName='down', parentGroupName='up')
    no('ResourceAlreadyExistsException', 'CreateThingGroup', thingGroupName='up')
    no('InvalidRequestException', 'CreateThingGroup', thingGroupName='x', parentGroupName='none')
    ok('DescribeThingGroup', thingGroupName='down')
    no('ResourceNotFoundException', 'DescribeThingGroup', thingGroupName='none')
    ok('UpdateThingGroup', thingGroupName='up', thingGroupProperties={'thingGroupDescription': 'y'}, expectedVersion=1)
    no('VersionConflictException', 'UpdateThingGroup', thingGroupName='up', thingGroupProperties={}, expectedVersion=1)
    no('ResourceNotFoundException', 'UpdateThingGroup', thingGroupName='none', thingGroupProperties={})
    ok('ListThingGroups', recursive=True)
    ok('ListThingGroups', parentGroup='up', namePrefixFilter='d')
    ok('AddThingToThingGroup', thingGroupName='down', thingName='lamp')
    no('ResourceNotFoundException', 'AddThingToThingGroup', thingGroupName='none', thingName='lamp')
    no('InvalidRequestException', 'AddThingToThingGroup', thingGroupName='down')
    ok('ListThingsInThingGroup', thingGroupName='up', recursive=True)
    no('ResourceNotFoundException', 'ListThingsInThingGroup', thingGroupName='none')
    ok('ListThingGroupsForThing', thingName='lamp')
    no('ResourceNotFoundException', 'ListThingGroupsForThing', thingName='none')
    ok('UpdateThingGroupsForThing', thingName='lamp', thingGroupsToAdd=['up'], thingGroupsToRemove=['down'])
    no('ResourceNotFoundException', 'UpdateThingGroupsForThing', thingName='none', thingGroupsToAdd=['up'])
    ok('RemoveThingFromThingGroup', thingGroupName='up', thingName='lamp')
    no('ResourceNotFoundException', 'RemoveThingFromThingGroup', thingGroupName='none', thingName='lamp')
    no('InvalidRequestException', 'DeleteThingGroup', thingGroupName='up')
    no('VersionConflictException', 'DeleteThingGroup', thingGroupName='down', expectedVersion=7)
    ok('DeleteThingGroup', thingGroupName='down')
    ok('DescribeBillingGroup', billingGroupName='house')
    no('ResourceNotFoundException', 'DescribeBillingGroup', billingGroupName='none')
    ok('UpdateBillingGroup', billingGroupName='house', billingGroupProperties={'billingGroupDescription': 'y'})
    no('VersionConflictException', 'UpdateBillingGroup', billingGroupName='house', billingGroupProperties={}, expectedVersion=1)
    no('ResourceNotFoundException', 'UpdateBillingGroup', billingGroupName='none', billingGroupProperties={})
    ok('ListBillingGroups', namePrefixFilter='h')
    ok('AddThingToBillingGroup', billingGroupName='house', thingArn=f'{ARN}thing/fan')
    no('ResourceNotFoundException', 'AddThingToBillingGroup', billingGroupName='none', thingName='fan')
    ok('ListThingsInBillingGroup', billingGroupName='house')
    no('ResourceNotFoundException', 'ListThingsInBillingGroup', billingGroupName='none')
    ok('RemoveThingFromBillingGroup', billingGroupName='house', thingName='fan')
    no('ResourceNotFoundException', 'RemoveThingFromBillingGroup', billingGroupName='none', thingName='fan')
    no('VersionConflictException', 'DeleteBillingGroup', billingGroupName='house', expectedVersion=9)


def certificates():
    made = ok('CreateKeysAndCertificate', setAsActive=True)
    arn, cert = made['certificateArn'], made['certificateId']
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=csr', '-keyout', 'csr.key', '-out', 'x.csr')
    second = ok('CreateCertificateFromCsr', certificateSigningRequest=read('x.csr'))
    no('InvalidRequestException', 'CreateCertificateFromCsr', certificateSigningRequest='no request')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3', '-subj', '/CN=self', '-keyout', 'self.key', '-out', 'self.crt')
    third = ok('RegisterCertificateWithoutCA', certificatePem=read('self.crt'), status='ACTIVE')
    no('ResourceAlreadyExistsException', 'RegisterCertificateWithoutCA', certificatePem=read('self.crt'))
    no('CertificateValidationException', 'RegisterCertificateWithoutCA', certificatePem='no certificate')
    authority(arn)
    ok('DescribeCertificate', certificateId=cert)
    no('ResourceNotFoundException', 'DescribeCertificate', certificateId=NO_CERT)
    ok('ListCertificates', pageSize=1, ascendingOrder=True)
    ok('UpdateCertificate', certificateId=cert, newStatus='INACTIVE')
    no('ResourceNotFoundException', 'UpdateCertificate', certificateId=NO_CERT, newStatus='ACTIVE')
    no('InvalidRequestException', 'UpdateCertificate', certificateId=cert, newStatus='PENDING_TRANSFER')
    policies(arn)
    principals(arn)
    no('CertificateStateException', 'DeleteCertificate', certificateId=third['certificateId'])
    no('ResourceNotFoundException', 'DeleteCertificate', certificateId=NO_CERT)
    ok('DeleteCertificate', certificateId=second['certificateId'])


def authority(arn):
    code = ok('GetRegistrationCode')['registrationCode']
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3', '-subj', '/CN=other', '-keyout', 'other.key', '-out', 'other.crt',
            '-addext', 'basicConstraints=critical,CA:TRUE')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3', '-subj', f'/CN={code}', '-CA', 'other.crt', '-CAkey', 'other.key',
            '-keyout', 'verify.key', '-out', 'verify.crt')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3', '-subj', '/CN=signed', '-CA', 'other.crt', '-CAkey', 'other.key',
            '-keyout', 'signed.key', '-out', 'signed.crt', '-addext', 'basicConstraints=CA:FALSE')
    no('RegistrationCodeValidationException', 'RegisterCACertificate', caCertificate=read('other.crt'), verificationCertificate=read('signed.crt'))
    no('CertificateValidationException', 'RegisterCACertificate', caCertificate='no certificate', verificationCertificate='none')
    ca = ok('RegisterCACertificate', caCertificate=read('other.crt'), verificationCertificate=read('verify.crt'), setAsActive=True, tags=[{'Key': 'a', 'Value': 'b'}])['certificateId']
    no('ResourceAlreadyExistsException', 'RegisterCACertificate', caCertificate=read('other.crt'), verificationCertificate=read('verify.crt'))
    ok('DescribeCACertificate', certificateId=ca)
    no('ResourceNotFoundException', 'DescribeCACertificate', certificateId=NO_CERT)
    ok('ListCACertificates', pageSize=5, ascendingOrder=False)
    ok('RegisterCertificate', certificatePem=read('signed.crt'), caCertificatePem=read('other.crt'), status='INACTIVE')
    no('ResourceAlreadyExistsException', 'RegisterCertificate', certificatePem=read('signed.crt'))
    no('CertificateValidationException', 'RegisterCertificate', certificatePem='no certificate')
    ok('ListCertificatesByCA', caCertificateId=ca)
    ok('UpdateCACertificate', certificateId=ca, newStatus='INACTIVE', newAutoRegistrationStatus='DISABLE')
    no('ResourceNotFoundException', 'UpdateCACertificate', certificateId=NO_CERT, newStatus='ACTIVE')
    no('ResourceNotFoundException', 'DeleteCACertificate', certificateId=NO_CERT)
    ok('DeleteCACertificate', certificateId=ca)
    ok('DeleteRegistrationCode')


def policies(arn):
    ok('CreatePolicy', policyName='all', policyDocument=POLICY, tags=[{'Key': 'a', 'Value': 'b'}])
    no('ResourceAlreadyExistsException', 'CreatePolicy', policyName='all', policyDocument=POLICY)
    no('MalformedPolicyException', 'CreatePolicy', policyName='bad', policyDocument='{}')
    ok('GetPolicy', policyName='all')
    no('ResourceNotFoundException', 'GetPolicy', policyName='none')
    ok('ListPolicies', ascendingOrder=True)
    two = ok('CreatePolicyVersion', policyName='all', policyDocument=POLICY, setAsDefault=True)['policyVersionId']
    no('MalformedPolicyException', 'CreatePolicyVersion', policyName='all', policyDocument='x')
    no('ResourceNotFoundException', 'CreatePolicyVersion', policyName='none', policyDocument=POLICY)
    for _ in range(3):
        ok('CreatePolicyVersion', policyName='all', policyDocument=POLICY)
    no('VersionsLimitExceededException', 'CreatePolicyVersion', policyName='all', policyDocument=POLICY)
    ok('GetPolicyVersion', policyName='all', policyVersionId=two)
    no('ResourceNotFoundException', 'GetPolicyVersion', policyName='all', policyVersionId='99')
    ok('ListPolicyVersions', policyName='all')
    no('ResourceNotFoundException', 'ListPolicyVersions', policyName='none')
    no('DeleteConflictException', 'DeletePolicyVersion', policyName='all', policyVersionId=two)
    no('ResourceNotFoundException', 'DeletePolicyVersion', policyName='all', policyVersionId='99')
    ok('SetDefaultPolicyVersion', policyName='all', policyVersionId='1')
    no('ResourceNotFoundException', 'SetDefaultPolicyVersion', policyName='all', policyVersionId='99')
    ok('DeletePolicyVersion', policyName='all', policyVersionId=two)
    ok('AttachPolicy', policyName='all', target=arn)
    no('ResourceNotFoundException', 'AttachPolicy', policyName='none', target=arn)
    no('InvalidRequestException', 'AttachPolicy', policyName='all', target='arn:x')
    ok('ListAttachedPolicies', target=arn, recursive=True)
    ok('ListTargetsForPolicy', policyName='all')
    no('ResourceNotFoundException', 'ListTargetsForPolicy', policyName='none')
    ok('ListPrincipalPolicies', principal=arn, ascendingOrder=True)
    ok('ListPolicyPrincipals', policyName='all')
    no('ResourceNotFoundException', 'ListPolicyPrincipals', policyName='none')
    no('DeleteConflictException', 'DeletePolicy', policyName='all')
    ok('TestAuthorization', principal=arn, authInfos=[{'actionType': 'PUBLISH', 'resources': [f'{ARN}topic/x']}])
    no('InvalidRequestException', 'TestAuthorization', principal='arn:x', authInfos=[{'actionType': 'PUBLISH', 'resources': ['x']}])
    ok('GetEffectivePolicies', principal=arn)
    ok('DetachPolicy', policyName='all', target=arn)
    no('InvalidRequestException', 'DetachPolicy', policyName='all', target='arn:x')
    ok('AttachPrincipalPolicy', policyName='all', principal=arn)
    no('ResourceNotFoundException', 'AttachPrincipalPolicy', policyName='none', principal=arn)
    ok('DetachPrincipalPolicy', policyName='all', principal=arn)
    no('ResourceNotFoundException', 'DeletePolicy', policyName='none')
    ok('CreatePolicy', policyName='brief', policyDocument=POLICY)
    ok('DeletePolicy', policyName='brief')


def principals(arn):
    ok('AttachThingPrincipal', thingName='lamp', principal=arn)
    no('ResourceNotFoundException', 'AttachThingPrincipal', thingName='none', principal=arn)
    no('InvalidRequestException', 'AttachThingPrincipal', thingName='lamp', principal='arn:x')
    ok('ListThingPrincipals', thingName='lamp', maxResults=1)
    no('ResourceNotFoundException', 'ListThingPrincipals', thingName='none')
    ok('ListPrincipalThings', principal=arn)
    no('InvalidRequestException', 'DeleteThing', thingName='lamp')
    ok('DetachThingPrincipal', thingName='lamp', principal=arn)
    no('ResourceNotFoundException', 'DetachThingPrincipal', thingName='none', principal=arn)


def account():
    ok('DescribeEndpoint', endpointType='iot:Data-ATS')
    no('InvalidRequestException', 'DescribeEndpoint', endpointType='iot:None')
    role = 'arn:aws:iam::123456789012:role/reader'
    ok('CreateRoleAlias', roleAlias='reader', roleArn=role, credentialDurationSeconds=900, tags=[{'Key': 'a', 'Value': 'b'}])
    no('ResourceAlreadyExistsException', 'CreateRoleAlias', roleAlias='reader', roleArn=role)
    ok('DescribeRoleAlias', roleAlias='reader')
    ok('UpdateRoleAlias', roleAlias='reader', credentialDurationSeconds=1000)
    ok('ListRoleAliases', ascendingOrder=True, pageSize=1)
    no('ResourceNotFoundException', 'DescribeRoleAlias', roleAlias='none')
    no('ResourceNotFoundException', 'UpdateRoleAlias', roleAlias='none')
    no('ResourceNotFoundException', 'DeleteRoleAlias', roleAlias='none')
    acm = 'arn:aws:acm:us-east-1:123456789012:certificate/1234'
    domain = ok('CreateDomainConfiguration', domainConfigurationName='own', domainName='x.example', serverCertificateArns=[acm], serviceType='DATA',
                authorizerConfig={'defaultAuthorizerName': 'a'})['domainConfigurationArn']
    no('ResourceAlreadyExistsException', 'CreateDomainConfiguration', domainConfigurationName='own')
    ok('DescribeDomainConfiguration', domainConfigurationName='own')
    ok('DescribeDomainConfiguration', domainConfigurationName='iot:Data-ATS')
    ok('ListDomainConfigurations', serviceType='DATA')
    no('InvalidRequestException', 'DeleteDomainConfiguration', domainConfigurationName='own')
    ok('UpdateDomainConfiguration', domainConfigurationName='own', domainConfigurationStatus='DISABLED')
    for i in range(9):
        ok('CreateDomainConfiguration', domainConfigurationName=f'n{i}')
    no('LimitExceededException', 'CreateDomainConfiguration', domainConfigurationName='n9')
    tags(domain)
    ok('DeleteDomainConfiguration', domainConfigurationName='own')
    ok('DeleteRoleAlias', roleAlias='reader')
    for operation in ('DescribeDomainConfiguration', 'UpdateDomainConfiguration', 'DeleteDomainConfiguration'):
        no('ResourceNotFoundException', operation, domainConfigurationName='own')
    ok('UpdateEventConfigurations', eventConfigurations={'THING': {'Enabled': True}})
    ok('DescribeEventConfigurations')
    no('NotConfiguredException', 'GetV2LoggingOptions')
    no('NotConfiguredException', 'SetV2LoggingLevel', logTarget={'targetType': 'THING_GROUP', 'targetName': 'g'}, logLevel='INFO')
    no('NotConfiguredException', 'ListV2LoggingLevels')
    ok('SetV2LoggingOptions', roleArn=role, defaultLogLevel='INFO', disableAllLogs=False)
    ok('GetV2LoggingOptions')
    ok('SetV2LoggingLevel', logTarget={'targetType': 'THING_GROUP', 'targetName': 'g'}, logLevel='INFO')
    ok('ListV2LoggingLevels', targetType='THING_GROUP')
    ok('DeleteV2LoggingLevel', targetType='THING_GROUP', targetName='g')


def tags(domain):
    for arn in (f'{ARN}thingtype/bulb', f'{ARN}thinggroup/up', f'{ARN}billinggroup/house', f'{ARN}policy/all', f'{ARN}rolealias/reader', domain):
        ok('TagResource', resourceArn=arn, tags=[{'Key': 'k', 'Value': 'v'}])
        ok('ListTagsForResource', resourceArn=arn)
        ok('UntagResource', resourceArn=arn, tagKeys=['k'])
    gone = f'{ARN}thingtype/none'
    no('ResourceNotFoundException', 'TagResource', resourceArn=gone, tags=[{'Key': 'k', 'Value': 'v'}])
    no('ResourceNotFoundException', 'UntagResource', resourceArn=gone, tagKeys=['k'])
    no('ResourceNotFoundException', 'ListTagsForResource', resourceArn=gone)
    no('LimitExceededException', 'TagResource', resourceArn=f'{ARN}thingtype/bulb', tags=[{'Key': f'k{i}', 'Value': 'v'} for i in range(51)])
    no('InvalidRequestException', 'TagResource', resourceArn='x', tags=[{'Key': 'k', 'Value': 'v'}])


def the_end():
    for thing in ('lamp', 'fan', 'none'):
        ok('DeleteThing', thingName=thing)
    ok('DeleteBillingGroup', billingGroupName='house')
    ok('DeleteThingGroup', thingGroupName='up')


for part in (things, groups, certificates, account, the_end):
    part()
known = here & set(iot.meta.service_model.operation_names)
for operation in sorted(known):
    if 'ok' not in checked.seen[operation] and operation != 'DeleteThingType':  # that one takes five minutes
        checked.bad(operation, 'was never answered with success')
print('newer', *sorted(here - known))
print('operations', len(known), 'errors', sum(len(v - {'ok'}) for v in checked.seen.values()))
