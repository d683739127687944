/** Step: telemetry, its destination and its use. */

import type { AdminProfile } from '../../profiles/admin-profile.ts';
import type { MonitoringSettings } from '../../profiles/infra-file.ts';
import { type Changes, changed, withClaude, withInfra, withMonitoring } from '../edit.ts';
import { type HasProfile, question, type WizardStep } from '../question.ts';
import {
  alarmQuestions,
  analyticsQuestions,
  isMonitored,
  logQuestions,
  monitoringOf,
} from './monitoring-extras.ts';
import { jwksQuestion } from './provider.ts';

const hasDomain = ({ profile }: HasProfile): boolean => monitoringOf(profile)?.domain !== undefined;
const isExisting = ({ profile }: HasProfile): boolean => monitoringOf(profile)?.network.type === 'existing';

const NETWORKS = {
  'new-private': { type: 'new', tasks: 'private' },
  'new-public': { type: 'new', tasks: 'public' },
  existing: { type: 'existing', vpcId: '', taskSubnetIds: [], loadBalancerSubnetIds: [] },
} as const satisfies Record<string, MonitoringSettings['network']>;

type Existing = Extract<MonitoringSettings['network'], { type: 'existing' }>;

function existing(profile: AdminProfile): Existing | undefined {
  const network = monitoringOf(profile)?.network;
  return network?.type === 'existing' ? network : undefined;
}

function withNetwork(profile: AdminProfile, fields: Partial<Existing>): AdminProfile {
  const network = existing(profile);
  return network ? withMonitoring(profile, { network: { ...network, ...fields } }) : profile;
}

type Domain = NonNullable<MonitoringSettings['domain']>;

function withDomain(profile: AdminProfile, fields: Changes<Domain>): AdminProfile {
  const domain = monitoringOf(profile)?.domain;
  return domain ? withMonitoring(profile, { domain: changed(domain, fields) }) : profile;
}

const network = [
  question<'monitoring-network'>({
    name: 'monitoring-network',
    message: () => 'Where does the collector run?',
    arises: isMonitored,
    today: ({ infra }) => {
      const there = infra.monitoring?.network;
      if (there?.type !== 'new') return there?.type;
      return there.tasks === 'private' ? 'new-private' : 'new-public';
    },
    choices: () => [
      { value: 'new-private', label: 'A new network, private', hint: 'with a NAT gateway, which costs' },
      { value: 'new-public', label: 'A new network, public', hint: 'addresses that nobody may call' },
      { value: 'existing', label: 'A VPC you have' },
    ],
    write: (profile, name) => withMonitoring(profile, { network: NETWORKS[name] }),
    implied: { by: ['vpc-id', 'task-subnets', 'load-balancer-subnets'], answer: 'existing' },
  }),
  question<'vpc-id'>({
    name: 'vpc-id',
    message: () => 'Id of the VPC',
    arises: isExisting,
    today: (profile) => existing(profile)?.vpcId || undefined,
    write: (profile, vpcId) => withNetwork(profile, { vpcId }),
    fields: ['monitoring.network.vpcId'],
    example: 'vpc-0123456789abcdef0',
  }),
  question<'task-subnets'>({
    name: 'task-subnets',
    message: () => 'Subnets of the collector, with a way out to AWS; commas between',
    arises: isExisting,
    today: (profile) => listOrNone(existing(profile)?.taskSubnetIds),
    write: (profile, taskSubnetIds) => withNetwork(profile, { taskSubnetIds }),
    fields: ['monitoring.network.taskSubnetIds'],
    example: 'subnet-0123456789abcdef0',
  }),
  question<'load-balancer-subnets'>({
    name: 'load-balancer-subnets',
    message: () => 'Subnets of the load balancer, in two zones at least',
    arises: isExisting,
    today: (profile) => listOrNone(existing(profile)?.loadBalancerSubnetIds),
    write: (profile, loadBalancerSubnetIds) => withNetwork(profile, { loadBalancerSubnetIds }),
    fields: ['monitoring.network.loadBalancerSubnetIds'],
    example: 'subnet-0123456789abcdef0, subnet-0123456789abcdef1',
  }),
];

function listOrNone(list: readonly string[] | undefined): readonly string[] | undefined {
  return list?.length ? list : undefined;
}

const domain = [
  question<'collector-domain'>({
    name: 'collector-domain',
    message: () => 'Name for the collector (empty: none, then telemetry is neither encrypted nor checked)',
    arises: isMonitored,
    today: (profile) => monitoringOf(profile)?.domain?.name ?? '',
    write: (profile, name) =>
      withMonitoring(profile, {
        domain: name === '' ? undefined : { ...monitoringOf(profile)?.domain, name },
      }),
    fields: ['monitoring.domain.name'],
    example: 'otel.company.example',
    optional: true,
  }),
  question<'hosted-zone-id'>({
    name: 'hosted-zone-id',
    message: () => 'Route 53 zone of that name (empty: none, with a certificate you have)',
    arises: hasDomain,
    today: (profile) => monitoringOf(profile)?.domain?.hostedZoneId ?? '',
    write: (profile, id) => withDomain(profile, { hostedZoneId: id || undefined }),
    fields: ['monitoring.domain.hostedZoneId'],
    example: 'Z0123456789ABC',
    optional: true,
  }),
  question<'certificate-arn'>({
    name: 'certificate-arn',
    message: () => 'ARN of its certificate in ACM',
    arises: hasDomain,
    isAsked: ({ profile }) => monitoringOf(profile)?.domain?.hostedZoneId === undefined,
    today: (profile) => monitoringOf(profile)?.domain?.certificateArn,
    write: (profile, arn) => withDomain(profile, { certificateArn: arn || undefined }),
    fields: ['monitoring.domain.certificateArn'],
  }),
  question<'internal'>({
    name: 'internal',
    message: () => 'Private addresses only? People then reach it from inside the network alone',
    arises: isMonitored,
    today: (profile) => monitoringOf(profile)?.internal ?? false,
    write: (profile, internal) => withMonitoring(profile, { internal }),
    fields: ['monitoring.internal'],
  }),
];

const details = [...network, ...domain, ...logQuestions, ...alarmQuestions, ...analyticsQuestions];

export const monitoringStep: WizardStep = {
  title: 'Monitoring',
  says: () =>
    'Who uses how much, on a dashboard in CloudWatch: a collector for the telemetry of Claude Code. It costs; the estimate comes at the end.',
  questions: [
    question<'monitoring'>({
      name: 'monitoring',
      message: () => 'Monitor usage?',
      today: ({ infra }) => infra.monitoring !== undefined,
      write: (profile, is) =>
        withInfra(profile, { monitoring: is ? { network: NETWORKS['new-private'] } : undefined }),
      implied: { by: details.map(({ name }) => name), answer: true },
    }),
    ...details,
    jwksQuestion,
    question<'attributes'>({
      name: 'attributes',
      message: () => 'Attributes of all telemetry, NAME=VALUE with commas between (empty: none)',
      arises: isMonitored,
      today: ({ claude }) => claude.attributes ?? {},
      write: (profile, attributes) =>
        withClaude(profile, { attributes: Object.keys(attributes).length > 0 ? attributes : undefined }),
      example: 'department=research,cost_center=4711',
      optional: true,
    }),
  ],
  later: ({ infra }) => (infra.monitoring ? undefined : '--monitoring yes'),
};
