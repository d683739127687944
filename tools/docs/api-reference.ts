/** The part of docs/api.md that is made from the table of routes and the schemas of their bodies. */
import { routeSchema } from '../../daemon/api/server.ts';
import { ROUTES, type RouteName } from '../../protocol/api.ts';
import type { ErrorCode } from '../../protocol/error-codes.ts';

type JsonSchema = {
  type?: string | readonly string[];
  enum?: readonly string[];
  anyOf?: readonly JsonSchema[];
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  maxLength?: number;
  pattern?: string;
};

type RouteText = {
  /** Says what the route does, in sentences. */
  summary: string;
  /** The codes a caller has to expect beside those of every route. */
  errors: readonly ErrorCode[];
};

const CONFIG = ['ERR_CONFIG_MISSING', 'ERR_CONFIG_INVALID', 'ERR_PROFILE_UNKNOWN'] as const;
const PROVIDER = ['ERR_PROVIDER_UNREACHABLE', 'ERR_PROVIDER_INVALID', 'ERR_PROVIDER_REJECTED'] as const;
const ID_TOKEN = [
  'ERR_LOGIN_REQUIRED',
  ...PROVIDER,
  'ERR_ID_TOKEN_INVALID',
  'ERR_STORE_LOCKED',
  'ERR_SESSION_BUSY',
] as const;
const SIGN_IN_END = [
  'ERR_LOGIN_DENIED',
  'ERR_LOGIN_EXPIRED',
  'ERR_LOGIN_CANCELLED',
  ...PROVIDER,
  'ERR_ID_TOKEN_INVALID',
] as const;

const TEXTS: Readonly<Record<RouteName, RouteText>> = {
  version: { summary: 'Returns the versions of the daemon.', errors: [] },
  status: {
    summary: 'Returns the state of the daemon and of every profile. The reply contains no secret.',
    errors: ['ERR_CONFIG_MISSING', 'ERR_CONFIG_INVALID'],
  },
  drain: {
    summary:
      'Stops the daemon after the requests and the sign-in in progress. Another daemon can then start.',
    errors: [],
  },
  credentials: {
    summary:
      'Returns AWS credentials in the format of `credential_process`. They come from memory, and are refreshed first if they expire soon.',
    errors: [
      ...CONFIG,
      ...ID_TOKEN,
      'ERR_AWS_UNREACHABLE',
      'ERR_AWS_DENIED',
      'ERR_AWS_CONFIG',
      'ERR_REFRESH_PENDING',
    ],
  },
  forgetCredentials: {
    summary: 'Removes the AWS credentials of the profile from memory. The next request fetches new ones.',
    errors: [...CONFIG],
  },
  expiration: {
    summary: 'Returns the end of the current AWS credentials, without the credentials.',
    errors: [...CONFIG],
  },
  idToken: {
    summary: 'Returns the ID token of the user, refreshed first if it expires soon.',
    errors: [...CONFIG, ...ID_TOKEN],
  },
  otelHeaders: {
    summary: 'Returns the headers that attribute telemetry to the user. It never starts a sign-in.',
    errors: [...CONFIG, 'ERR_LOGIN_REQUIRED'],
  },
  signIn: {
    summary: 'Starts a sign-in, or joins the one in progress. Returns at once.',
    errors: [...CONFIG, 'ERR_LOGIN_CAPPED', 'ERR_REDIRECT_PORT_TAKEN', ...SIGN_IN_END],
  },
  awaitSignIn: {
    summary: 'Waits for the end of a sign-in, for at most `wait` milliseconds, and returns its state.',
    errors: SIGN_IN_END,
  },
  pageOpened: {
    summary: 'Confirms that the caller opened the page of the sign-in, or could not.',
    errors: [],
  },
  signOut: {
    summary:
      'Revokes the refresh token where the provider allows it, and removes the session from store and memory.',
    errors: [...CONFIG, 'ERR_STORE_LOCKED', 'ERR_STORE_ABSENT', 'ERR_STORE_FAILED'],
  },
};

const PROBLEM = {
  code: 'the code of the error',
  message: 'what went wrong',
  fix: 'what to do',
  at: 'the time of the error',
};
const SIGN_IN_REPLY = {
  state: '`signed-in`, or `pending` while the sign-in is in progress',
  user: 'the user who is signed in; only with `signed-in`',
  signIn: 'the id of the sign-in, for the routes under `/v1/sign-ins`',
  url: 'the address to open in a browser',
  device: 'present for a sign-in with a code',
  'device.userCode': 'the code to enter at `url`',
  'device.verificationUriComplete': 'the address with the code in it',
  openPage: 'true: this caller opens `url`, then calls `page-opened` within 5 s',
  expiresAt: 'the time when the sign-in ends without an answer',
};
const under = (parent: string, fields: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, text]) => [`${parent}.${name}`, text]));
const VERSION = {
  protocol: 'the version of this API',
  build: 'the version of the program',
  pid: 'the process id of the daemon',
  startedAt: 'the time the daemon started',
};

/** The meaning of each field of a query or a request body. */
const REQUEST_FIELDS: Partial<Record<RouteName, Readonly<Record<string, string>>>> = {
  drain: {
    now: 'true: cancel a sign-in in progress instead of waiting for it',
  },
  signIn: {
    automatic: 'true: a tool asks, not a person; only automatic sign-ins are limited in number',
    canOpenPage: 'true: the caller has a screen and can open a page',
    screen: 'false: nobody would see a page on this computer, so a code is preferred',
    device: 'true: a sign-in with a code, or an error',
  },
  awaitSignIn: {
    wait: 'how long to wait, 0 to 60000 milliseconds; 0 if absent',
    canOpenPage: '`true`: the caller can open the page if nobody else does; `false` if absent',
  },
  pageOpened: {
    opened: 'true: the page is open; false: another caller may open it',
  },
};

/** The meaning of each field of a reply, by its path in the body. */
const REPLY_FIELDS: Readonly<Record<RouteName, Readonly<Record<string, string>>>> = {
  version: VERSION,
  status: {
    daemon: 'the same as the reply of `/v1/version`',
    ...under('daemon', VERSION),
    clockSkewSeconds: 'seconds to add to the clock of this machine; 0 if too small to matter',
    network: 'how the daemon reaches the network',
    'network.proxy': 'the proxy, without its password',
    'network.certificates': 'files of trusted certificate authorities',
    config: 'the path of config.json',
    configProblem: 'why config.json cannot be used now; the profiles are those of the last usable file',
    ...under('configProblem', PROBLEM),
    profiles: 'one entry for each profile',
    'profiles[].profile': 'the name of the profile',
    'profiles[].issuer': 'the issuer of the identity provider',
    'profiles[].state': 'the state of the session',
    'profiles[].user': 'the user who is signed in',
    'profiles[].storage': 'where the refresh token is stored',
    'profiles[].federation': 'the identity pool, or the ARN of the role',
    'profiles[].credentialsUntil': 'the end of the AWS credentials',
    'profiles[].nextRefresh': 'the time of the next refresh',
    'profiles[].idTokenUntil': 'the end of the ID token',
    'profiles[].problem': 'the last problem of the profile',
    ...under('profiles[].problem', PROBLEM),
  },
  drain: {
    state: '`signing-in` while the daemon waits for a sign-in, else `ending`',
  },
  credentials: {
    Version: 'always 1',
    AccessKeyId: 'the access key id',
    SecretAccessKey: 'the secret access key',
    SessionToken: 'the session token',
    Expiration: 'the end of the credentials',
  },
  forgetCredentials: { forgotten: 'true if there were credentials in memory' },
  expiration: {
    valid: 'true if there are credentials in memory that have not expired',
    expiration: 'the end of the credentials',
  },
  idToken: { idToken: 'the ID token, a JWT', expiration: 'the end of the ID token' },
  otelHeaders: {},
  signIn: {
    ...SIGN_IN_REPLY,
  },
  awaitSignIn: {
    ...SIGN_IN_REPLY,
  },
  pageOpened: {
    noted: 'false: there is no such sign-in in progress',
  },
  signOut: {
    wasSignedIn: 'true if there was a session',
    revoked: 'true if the provider revoked the refresh token',
  },
};

/** Returns a section for each route: its bodies, field by field, and its errors. */
export function apiReference(): string {
  const names = Object.keys(ROUTES) as RouteName[];
  return names.map(section).join('\n\n');
}

function section(name: RouteName): string {
  const { method, path } = ROUTES[name];
  const { summary, errors } = TEXTS[name];
  const schema = routeSchema(name) as {
    body?: JsonSchema;
    querystring?: JsonSchema;
    response: { 200: JsonSchema };
  };
  return [
    `### ${method} ${shown(path)}`,
    summary,
    ...fieldsOf('Query', schema.querystring, REQUEST_FIELDS[name]),
    ...fieldsOf('Request body', schema.body, REQUEST_FIELDS[name]),
    ...fieldsOf('Reply', schema.response[200], REPLY_FIELDS[name]),
    ...(errors.length === 0 ? [] : [`Errors: ${errors.map((code) => `\`${code}\``).join(', ')}.`]),
  ].join('\n\n');
}

function shown(path: string): string {
  return path.replace(/:(\w+)/g, (_, name: string) => `{${name}}`);
}

type Meanings = Readonly<Record<string, string>>;

/** @throws Error for a field without a meaning: every field of a schema is described. */
function fieldsOf(title: string, schema: JsonSchema | undefined, meanings: Meanings = {}): string[] {
  if (!schema) return [];
  if (!schema.properties) return [`${title}: an object of texts, one for each header.`];
  const rows = rowsOf(schema, '').map(([path, type]) => {
    const meaning = meanings[path];
    if (meaning === undefined) throw new Error(`the field ${path} has no meaning`);
    return `| \`${path}\` | ${type} | ${meaning} |`;
  });
  return [`${title}:`, ['| Field | Type | Meaning |', '|---|---|---|', ...rows].join('\n')];
}

/** Returns path and type of each field, those of nested objects below their parent. */
function rowsOf(
  { properties = {}, required = [] }: JsonSchema,
  parent: string,
): [path: string, type: string][] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${parent}${name}`;
    const type = `${typeOf(schema)}${required.includes(name) ? '' : ', optional'}`;
    const nested = schema.anyOf?.find(({ properties }) => properties) ?? schema;
    const inner = nested.items ? rowsOf(nested.items, `${path}[].`) : rowsOf(nested, `${path}.`);
    return [[path, type], ...inner];
  });
}

function typeOf({ type, enum: values, anyOf, items }: JsonSchema): string {
  if (values) return values.map((value) => `\`${value}\``).join(' or ');
  if (anyOf) return anyOf.map(typeOf).join(' or ');
  if (items) return `list of ${typeOf(items)}`;
  return [type ?? 'any'].flat().join(' or ');
}
