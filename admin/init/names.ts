/**
 * Every question of the wizard, by the name of its flag and of its field in a file of answers. Loaded for
 * `--help` too, so it imports nothing.
 */

/** The kind of an answer: texts to choose from, or a kind of value. A `secret` is given as the file that holds it. */
type Kind = 'text' | 'number' | 'yes or no' | 'list' | 'pairs' | 'secret' | readonly string[];

export type AnswerSpec = {
  /** Heading of the flag in `--help`, and of its step. */
  readonly step: StepTitle;
  readonly kind: Kind;
  /** The word for the value in `--help`; chosen by the kind when absent. */
  readonly value?: string;
  readonly help: string;
};

export const STEP_TITLES = [
  'Identity provider',
  'Federation',
  'AWS account and region',
  'Bedrock',
  'Credentials on the computer',
  'Who may use it',
  'Audit trail',
  'Monitoring',
  'Cost',
] as const;
export type StepTitle = (typeof STEP_TITLES)[number];

const spec =
  <S extends StepTitle>(step: S) =>
  <const K extends Kind>(kind: K, help: string, value?: string) => ({
    step,
    kind,
    help,
    ...(value !== undefined && { value }),
  });

const provider = spec('Identity provider');
const federation = spec('Federation');
const aws = spec('AWS account and region');
const bedrock = spec('Bedrock');
const storage = spec('Credentials on the computer');
const access = spec('Who may use it');
const audit = spec('Audit trail');
const monitoring = spec('Monitoring');
const cost = spec('Cost');

export const ANSWERS = {
  issuer: provider('text', 'its issuer, to the letter; instead of the domain', 'url'),
  'provider-domain': provider('text', 'its domain, such as company.okta.com, or its issuer', 'domain'),
  'provider-type': provider(
    ['okta', 'auth0', 'azure', 'cognito', 'google', 'generic'],
    'what it is, where the domain does not tell',
    'type',
  ),
  'okta-auth-server': provider('text', 'Okta: an authorization server of your own, such as default', 'id'),
  tenant: provider('text', 'Entra ID: id of the tenant', 'id'),
  'cognito-user-pool-id': provider('text', 'Cognito: id of the user pool', 'id'),
  'client-id': provider('text', 'client id of the application', 'id'),
  'client-secret-file': provider('secret', 'Google: file that holds the client secret', 'file'),
  'redirect-port': provider('number', 'port of the redirect URI (default: 8400)'),
  federation: federation(['cognito', 'direct'], 'cognito (an identity pool) or direct (STS)', 'how'),
  'max-session-duration': federation('number', 'direct: seconds that credentials last', 'seconds'),
  'aws-region': aws('text', 'region of everything that is deployed', 'region'),
  'provider-registered': aws('yes or no', 'whether IAM in this account has the provider already'),
  'bedrock-regions': bedrock('list', 'regions to call Bedrock from (default: the region)', 'list'),
  geographies: bedrock('list', 'where models may run: us, eu, jp, au, apac, us-gov; or none', 'list'),
  'global-inference': bedrock('yes or no', 'whether models may run in any commercial region'),
  models: bedrock('list', 'ids of models that may be used, * as in IAM; or all'),
  model: bedrock('text', "Claude Code's model; without: its own choice", 'id'),
  'haiku-model': bedrock('text', "Claude Code's small model", 'id'),
  guardrail: bedrock('text', 'guardrail that users may apply: its id or ARN', 'id'),
  'guardrail-version': bedrock('text', 'its version (default: DRAFT)', 'version'),
  mantle: bedrock('yes or no', 'allow the bedrock-mantle endpoint'),
  'credential-storage': storage(['keyring', 'session'], 'keyring or session', 'where'),
  access: access(['everyone', 'groups'], 'everyone who can sign in, or groups', 'who'),
  'groups-claim': access('text', 'claim of the ID token that holds groups', 'claim'),
  groups: access('list', 'groups that may use it'),
  'groups-match': access(['contains', 'equals'], 'how a group is found in the claim', 'how'),
  audit: audit('yes or no', 'whether to keep a trail of all calls to Bedrock'),
  'audit-retention-days': audit('number', 'how long it is kept'),
  monitoring: monitoring('yes or no', 'whether to collect telemetry'),
  'monitoring-network': monitoring(
    ['new-private', 'new-public', 'existing'],
    'network of the collector: new-private, new-public or existing',
    'network',
  ),
  'vpc-id': monitoring('text', 'existing: the VPC', 'id'),
  'task-subnets': monitoring('list', "existing: subnets of the collector's tasks"),
  'load-balancer-subnets': monitoring('list', 'existing: subnets of the load balancer, two zones'),
  'collector-domain': monitoring('text', 'name of the collector, for https and checked tokens', 'name'),
  'hosted-zone-id': monitoring('text', 'Route 53 zone for the name and its certificate', 'id'),
  'certificate-arn': monitoring('text', 'certificate of ACM for the name', 'arn'),
  'jwks-uri': monitoring('text', "the provider's jwks_uri, where it cannot be asked", 'url'),
  internal: monitoring('yes or no', 'whether the load balancer has private addresses only'),
  environment: monitoring('text', 'deployment.environment (default: production)', 'name'),
  'log-retention-days': monitoring('number', 'how long logs are kept (default: 90)'),
  alarms: monitoring('yes or no', 'whether to have alarms'),
  'alarm-email': monitoring('text', 'where alarms are sent', 'address'),
  'alarm-daily-cost': monitoring('number', 'dollars of models a day above which to warn', 'usd'),
  'alarm-hourly-tokens': monitoring('number', 'tokens an hour above which to warn'),
  'alarm-hourly-errors': monitoring('number', 'errors of Bedrock an hour above which to warn'),
  analytics: monitoring('yes or no', 'whether to keep all telemetry for SQL'),
  'analytics-archive-days': monitoring('number', 'days after which its data is archived'),
  'analytics-results-days': monitoring('number', "days that queries' results are kept"),
  attributes: monitoring('pairs', 'attributes of all telemetry: department=…,team.id=…'),
  users: cost('number', 'how many people will use it, for the estimate'),
} as const satisfies Record<string, AnswerSpec>;

export type AnswerName = keyof typeof ANSWERS;

type ValueOf<K> = K extends 'text' | 'secret'
  ? string
  : K extends 'number'
    ? number
    : K extends 'yes or no'
      ? boolean
      : K extends 'list'
        ? readonly string[]
        : K extends 'pairs'
          ? Readonly<Record<string, string>>
          : K extends readonly (infer Choice)[]
            ? Choice
            : never;

/** The value of an answer in the program. An empty text, list or object means "none". */
export type AnswerOf<N extends AnswerName> = ValueOf<(typeof ANSWERS)[N]['kind']>;
export type AnswerValue = AnswerOf<AnswerName>;
export type Answers = { readonly [N in AnswerName]?: AnswerOf<N> };

export const ANSWER_NAMES = Object.keys(ANSWERS) as AnswerName[];

/** Returns the word for the value of a flag in `--help`. */
export function valueWord({ kind, value }: AnswerSpec): string {
  if (value !== undefined) return value;
  return { 'yes or no': 'yes|no', number: 'number', list: 'list', pairs: 'pairs' }[String(kind)] ?? 'text';
}
