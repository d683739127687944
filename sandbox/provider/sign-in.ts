import { parse } from 'node:querystring';
import type { Interaction, KoaContext, Middleware, default as Provider } from 'oidc-provider';
import { readBody } from '../http/loopback-server.ts';
import { messagePage, signInPage } from './pages.ts';
import { demoUser, findByCredentials, type SandboxUser } from './users.ts';

const interactionPath = /^\/interaction\/[\w-]+$/;

/**
 * Serves `/interaction/{uid}`: the sign-in form, and consent, which is given without asking
 * because the sandbox's clients belong to the company, as in most workforce directories.
 */
export function signInPages(
  provider: Provider,
  users: readonly SandboxUser[],
  signIn: 'form' | 'automatic',
): Middleware {
  const note = users.includes(demoUser)
    ? `A sandbox: sign in as ${demoUser.username} with the password ${demoUser.password}.`
    : undefined;

  return async (ctx, next) => {
    if (!interactionPath.test(ctx.path)) return next();
    const interaction = await provider.interactionDetails(ctx.req, ctx.res).catch(() => undefined);
    if (interaction === undefined) {
      return show(
        ctx,
        400,
        messagePage('This page has expired', 'Start the sign-in again from your terminal.'),
      );
    }
    if (interaction.prompt.name === 'consent') {
      const accountId = interaction.session?.accountId ?? '';
      return finish(provider, ctx, { consent: { grantId: await grant(provider, interaction, accountId) } });
    }
    const [first] = users;
    if (signIn === 'automatic' && first !== undefined) return admit(provider, ctx, interaction, first);
    const view = {
      clientId: interaction.params.client_id ?? '',
      ...(note === undefined ? {} : { note }),
    };
    if (ctx.method !== 'POST') return show(ctx, 200, signInPage(view));

    const form = parse((await readBody(ctx.req)).toString());
    if (form.action === 'deny') {
      const denial = { error: 'access_denied', error_description: 'the user denied the request' };
      return finish(provider, ctx, denial);
    }
    const username = String(form.username ?? '');
    const user = findByCredentials(users, username, String(form.password ?? ''));
    if (user === undefined) {
      const error = 'That user name and password do not go together.';
      return show(ctx, 401, signInPage({ ...view, username, error }));
    }
    return admit(provider, ctx, interaction, user);
  };
}

async function admit(
  provider: Provider,
  ctx: KoaContext,
  interaction: Interaction,
  user: SandboxUser,
): Promise<void> {
  await finish(provider, ctx, {
    login: { accountId: user.sub, amr: ['pwd'] },
    consent: { grantId: await grant(provider, interaction, user.sub) },
  });
}

/** One grant per sign-in: it is the family that reuse of a refresh token revokes. */
async function grant(provider: Provider, interaction: Interaction, accountId: string): Promise<string> {
  const { client_id: clientId = '', scope = '' } = interaction.params;
  const granted = new provider.Grant({ accountId, clientId });
  granted.addOIDCScope(scope);
  return granted.save();
}

async function finish(provider: Provider, ctx: KoaContext, result: Record<string, unknown>): Promise<void> {
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
}

/** Answers with one of our pages. */
export function show(ctx: KoaContext, status: number, html: string): void {
  ctx.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
  ctx.set('cache-control', 'no-store');
  ctx.status = status;
  ctx.type = 'html';
  ctx.body = html;
}
