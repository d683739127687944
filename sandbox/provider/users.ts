/** A user of the sandbox's identity provider. */
export interface SandboxUser {
  /** The user name for the sign-in form. The form accepts the e-mail claim too. */
  readonly username: string;
  readonly password: string;
  readonly sub: string;
  /** More claims of the ID token, by name; `custom:` names as in a Cognito user pool are possible. */
  readonly claims: Readonly<Record<string, string | boolean | number>>;
}

/** The user of the demo. */
export const demoUser: SandboxUser = {
  username: 'demo',
  password: 'demo',
  sub: '00u1demo5andb0x',
  claims: {
    email: 'demo@example.com',
    email_verified: true,
    name: 'Demo User',
    preferred_username: 'demo',
    department: 'Research',
    team_id: 'team-42',
    cost_center: 'CC-1001',
    organization: 'Example Corp',
    location: 'Berlin',
    role: 'engineer',
    manager: 'manager@example.com',
  },
};

export function findByCredentials(
  users: readonly SandboxUser[],
  username: string,
  password: string,
): SandboxUser | undefined {
  const name = username.trim().toLowerCase();
  return users.find(
    (user) =>
      (user.username.toLowerCase() === name || user.claims.email === name) && user.password === password,
  );
}
