/**
 * Actions of IAM that CloudFormation needs to create, read, update, tag and delete each type of resource, after AWS's
 * service authorization reference and the handlers of the resource types. A test compares the types with the templates.
 */

/** Actions without their service, by the service's prefix. */
export type ServiceActions = Readonly<Record<string, readonly string[]>>;

const ROLE: ServiceActions = {
  iam: [
    'AttachRolePolicy',
    'CreateRole',
    'DeleteRole',
    'DeleteRolePolicy',
    'DetachRolePolicy',
    'GetRole',
    'GetRolePolicy',
    'ListAttachedRolePolicies',
    'ListRolePolicies',
    'PassRole',
    'PutRolePolicy',
    'TagRole',
    'UntagRole',
    'UpdateAssumeRolePolicy',
    'UpdateRole',
    'UpdateRoleDescription',
  ],
};
const LOG_GROUP: ServiceActions = {
  logs: [
    'CreateLogGroup',
    'DeleteLogGroup',
    'DeleteRetentionPolicy',
    'DescribeLogGroups',
    'ListTagsForResource',
    'PutRetentionPolicy',
    'TagResource',
    'UntagResource',
  ],
};
const BUCKET_POLICY: ServiceActions = { s3: ['DeleteBucketPolicy', 'GetBucketPolicy', 'PutBucketPolicy'] };
const scaling: ServiceActions = {
  'application-autoscaling': [
    'DeleteScalingPolicy',
    'DeregisterScalableTarget',
    'DescribeScalableTargets',
    'DescribeScalingPolicies',
    'ListTagsForResource',
    'PutScalingPolicy',
    'RegisterScalableTarget',
  ],
  cloudwatch: ['DeleteAlarms', 'DescribeAlarms', 'PutMetricAlarm'],
};

export const RESOURCE_ACTIONS: Readonly<Record<string, ServiceActions>> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': scaling,
  'AWS::ApplicationAutoScaling::ScalingPolicy': scaling,
  'AWS::Athena::NamedQuery': {
    athena: ['CreateNamedQuery', 'DeleteNamedQuery', 'GetNamedQuery', 'ListNamedQueries'],
  },
  'AWS::Athena::WorkGroup': {
    athena: [
      'CreateWorkGroup',
      'DeleteWorkGroup',
      'GetWorkGroup',
      'ListTagsForResource',
      'TagResource',
      'UntagResource',
      'UpdateWorkGroup',
    ],
  },
  'AWS::CertificateManager::Certificate': {
    acm: [
      'AddTagsToCertificate',
      'DeleteCertificate',
      'DescribeCertificate',
      'ListTagsForCertificate',
      'RequestCertificate',
    ],
    route53: ['ChangeResourceRecordSets', 'GetChange', 'ListResourceRecordSets'],
  },
  'AWS::CloudTrail::Trail': {
    cloudtrail: [
      'AddTags',
      'CreateTrail',
      'DeleteTrail',
      'GetEventSelectors',
      'GetInsightSelectors',
      'GetTrail',
      'GetTrailStatus',
      'ListTags',
      'PutEventSelectors',
      'RemoveTags',
      'StartLogging',
      'StopLogging',
      'UpdateTrail',
    ],
  },
  'AWS::CloudWatch::Alarm': {
    cloudwatch: [
      'DeleteAlarms',
      'DescribeAlarms',
      'ListTagsForResource',
      'PutMetricAlarm',
      'TagResource',
      'UntagResource',
    ],
  },
  'AWS::CloudWatch::Dashboard': { cloudwatch: ['DeleteDashboards', 'GetDashboard', 'PutDashboard'] },
  'AWS::Cognito::IdentityPool': {
    'cognito-identity': [
      'CreateIdentityPool',
      'DeleteIdentityPool',
      'DescribeIdentityPool',
      'ListTagsForResource',
      'TagResource',
      'UntagResource',
      'UpdateIdentityPool',
    ],
  },
  'AWS::Cognito::IdentityPoolPrincipalTag': {
    'cognito-identity': ['GetPrincipalTagAttributeMap', 'SetPrincipalTagAttributeMap'],
  },
  'AWS::Cognito::IdentityPoolRoleAttachment': {
    'cognito-identity': ['GetIdentityPoolRoles', 'SetIdentityPoolRoles'],
  },
  'AWS::EC2::EIP': { ec2: ['AllocateAddress', 'DescribeAddresses', 'ReleaseAddress'] },
  'AWS::EC2::FlowLog': {
    ec2: ['CreateFlowLogs', 'DeleteFlowLogs', 'DescribeFlowLogs'],
    logs: ['CreateLogDelivery', 'DeleteLogDelivery'],
  },
  'AWS::EC2::InternetGateway': {
    ec2: ['CreateInternetGateway', 'DeleteInternetGateway', 'DescribeInternetGateways'],
  },
  'AWS::EC2::NatGateway': { ec2: ['CreateNatGateway', 'DeleteNatGateway', 'DescribeNatGateways'] },
  'AWS::EC2::Route': { ec2: ['CreateRoute', 'DeleteRoute', 'DescribeRouteTables', 'ReplaceRoute'] },
  'AWS::EC2::RouteTable': { ec2: ['CreateRouteTable', 'DeleteRouteTable', 'DescribeRouteTables'] },
  'AWS::EC2::SecurityGroup': {
    ec2: [
      'AuthorizeSecurityGroupEgress',
      'AuthorizeSecurityGroupIngress',
      'CreateSecurityGroup',
      'DeleteSecurityGroup',
      'DescribeSecurityGroups',
      'RevokeSecurityGroupEgress',
      'RevokeSecurityGroupIngress',
    ],
  },
  'AWS::EC2::SecurityGroupIngress': {
    ec2: [
      'AuthorizeSecurityGroupIngress',
      'DescribeSecurityGroupRules',
      'DescribeSecurityGroups',
      'RevokeSecurityGroupIngress',
    ],
  },
  'AWS::EC2::Subnet': { ec2: ['CreateSubnet', 'DeleteSubnet', 'DescribeSubnets', 'ModifySubnetAttribute'] },
  'AWS::EC2::SubnetRouteTableAssociation': {
    ec2: [
      'AssociateRouteTable',
      'DescribeRouteTables',
      'DisassociateRouteTable',
      'ReplaceRouteTableAssociation',
    ],
  },
  'AWS::EC2::VPC': {
    ec2: [
      'CreateTags',
      'CreateVpc',
      'DeleteTags',
      'DeleteVpc',
      'DescribeAvailabilityZones',
      'DescribeNetworkAcls',
      'DescribeTags',
      'DescribeVpcAttribute',
      'DescribeVpcs',
      'ModifyVpcAttribute',
    ],
  },
  'AWS::EC2::VPCGatewayAttachment': {
    ec2: ['AttachInternetGateway', 'DescribeInternetGateways', 'DetachInternetGateway'],
  },
  'AWS::ECS::Cluster': {
    ecs: [
      'CreateCluster',
      'DeleteCluster',
      'DescribeClusters',
      'TagResource',
      'UntagResource',
      'UpdateCluster',
      'UpdateClusterSettings',
    ],
  },
  'AWS::ECS::Service': {
    ecs: [
      'CreateService',
      'DeleteService',
      'DescribeServices',
      'TagResource',
      'UntagResource',
      'UpdateService',
    ],
    ec2: ['DescribeNetworkInterfaces', 'DescribeSecurityGroups', 'DescribeSubnets', 'DescribeVpcs'],
  },
  'AWS::ECS::TaskDefinition': {
    ecs: [
      'DeregisterTaskDefinition',
      'DescribeTaskDefinition',
      'RegisterTaskDefinition',
      'TagResource',
      'UntagResource',
    ],
  },
  'AWS::ElasticLoadBalancingV2::Listener': {
    elasticloadbalancing: [
      'CreateListener',
      'DeleteListener',
      'DescribeListenerAttributes',
      'DescribeListeners',
      'ModifyListener',
      'ModifyListenerAttributes',
    ],
  },
  'AWS::ElasticLoadBalancingV2::LoadBalancer': {
    elasticloadbalancing: [
      'AddTags',
      'CreateLoadBalancer',
      'DeleteLoadBalancer',
      'DescribeLoadBalancerAttributes',
      'DescribeLoadBalancers',
      'DescribeTags',
      'ModifyLoadBalancerAttributes',
      'RemoveTags',
      'SetIpAddressType',
      'SetSecurityGroups',
      'SetSubnets',
    ],
    ec2: [
      'DescribeAccountAttributes',
      'DescribeInternetGateways',
      'DescribeSecurityGroups',
      'DescribeSubnets',
      'DescribeVpcs',
    ],
  },
  'AWS::ElasticLoadBalancingV2::TargetGroup': {
    elasticloadbalancing: [
      'AddTags',
      'CreateTargetGroup',
      'DeleteTargetGroup',
      'DescribeTargetGroupAttributes',
      'DescribeTargetGroups',
      'DescribeTargetHealth',
      'ModifyTargetGroup',
      'ModifyTargetGroupAttributes',
    ],
  },
  'AWS::Glue::Database': { glue: ['CreateDatabase', 'DeleteDatabase', 'GetDatabase', 'UpdateDatabase'] },
  'AWS::Glue::Table': { glue: ['CreateTable', 'DeleteTable', 'GetTable', 'UpdateTable'] },
  'AWS::IAM::OIDCProvider': {
    iam: [
      'AddClientIDToOpenIDConnectProvider',
      'CreateOpenIDConnectProvider',
      'DeleteOpenIDConnectProvider',
      'GetOpenIDConnectProvider',
      'ListOpenIDConnectProviderTags',
      'RemoveClientIDFromOpenIDConnectProvider',
      'TagOpenIDConnectProvider',
      'UntagOpenIDConnectProvider',
      'UpdateOpenIDConnectProviderThumbprint',
    ],
  },
  'AWS::IAM::Role': ROLE,
  'AWS::IAM::RolePolicy': ROLE,
  'AWS::KMS::Key': {
    kms: [
      'CreateKey',
      'DescribeKey',
      'DisableKeyRotation',
      'EnableKeyRotation',
      'GetKeyPolicy',
      'GetKeyRotationStatus',
      'ListResourceTags',
      'PutKeyPolicy',
      'ScheduleKeyDeletion',
      'TagResource',
      'UntagResource',
      'UpdateKeyDescription',
    ],
  },
  'AWS::KinesisFirehose::DeliveryStream': {
    firehose: [
      'CreateDeliveryStream',
      'DeleteDeliveryStream',
      'DescribeDeliveryStream',
      'ListTagsForDeliveryStream',
      'StartDeliveryStreamEncryption',
      'StopDeliveryStreamEncryption',
      'TagDeliveryStream',
      'UntagDeliveryStream',
      'UpdateDestination',
    ],
  },
  'AWS::Lambda::Function': {
    lambda: [
      'CreateFunction',
      'DeleteFunction',
      'DeleteFunctionConcurrency',
      'GetFunction',
      'GetFunctionCodeSigningConfig',
      'GetRuntimeManagementConfig',
      'ListTags',
      'PutFunctionConcurrency',
      'TagResource',
      'UntagResource',
      'UpdateFunctionCode',
      'UpdateFunctionConfiguration',
    ],
  },
  'AWS::Logs::LogGroup': LOG_GROUP,
  'AWS::Logs::LogStream': { logs: ['CreateLogStream', 'DeleteLogStream', 'DescribeLogStreams'] },
  'AWS::Logs::SubscriptionFilter': {
    logs: ['DeleteSubscriptionFilter', 'DescribeSubscriptionFilters', 'PutSubscriptionFilter'],
  },
  'AWS::Route53::RecordSet': {
    route53: ['ChangeResourceRecordSets', 'GetChange', 'GetHostedZone', 'ListResourceRecordSets'],
  },
  'AWS::S3::Bucket': {
    s3: [
      'CreateBucket',
      'DeleteBucket',
      'GetBucketOwnershipControls',
      'GetBucketPublicAccessBlock',
      'GetBucketTagging',
      'GetBucketVersioning',
      'GetEncryptionConfiguration',
      'GetLifecycleConfiguration',
      'ListBucket',
      'PutBucketOwnershipControls',
      'PutBucketPublicAccessBlock',
      'PutBucketTagging',
      'PutBucketVersioning',
      'PutEncryptionConfiguration',
      'PutLifecycleConfiguration',
    ],
  },
  'AWS::S3::BucketPolicy': BUCKET_POLICY,
  'AWS::SNS::Subscription': {
    sns: ['GetSubscriptionAttributes', 'SetSubscriptionAttributes', 'Subscribe', 'Unsubscribe'],
  },
  'AWS::SNS::Topic': {
    sns: [
      'CreateTopic',
      'DeleteTopic',
      'GetDataProtectionPolicy',
      'GetTopicAttributes',
      'ListSubscriptionsByTopic',
      'ListTagsForResource',
      'SetTopicAttributes',
      'TagResource',
      'UntagResource',
    ],
  },
  'AWS::SNS::TopicPolicy': { sns: ['GetTopicAttributes', 'SetTopicAttributes'] },
};

/** Services whose service-linked role is created when an account uses them first, by the type that does. */
export const SERVICE_LINKED_ROLES: Readonly<Record<string, string>> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': 'ecs.application-autoscaling.amazonaws.com',
  'AWS::ECS::Service': 'ecs.amazonaws.com',
  'AWS::ElasticLoadBalancingV2::LoadBalancer': 'elasticloadbalancing.amazonaws.com',
};
