/** The part of oidc-provider (which ships no types) that the sandbox uses. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface KoaContext {
    req: IncomingMessage;
    readonly res: ServerResponse;
    readonly request: { req: IncomingMessage };
    readonly method: string;
    readonly path: string;
    query: Record<string, string | string[] | undefined>;
    status: number;
    type: string;
    body: unknown;
    /** `false`: Koa sends no reply; the code that uses `res` does. */
    respond?: boolean;
    set(header: string, value: string): void;
    readonly oidc: OidcContext;
  }

  export interface OidcContext {
    readonly session: { readonly state: { readonly secret: string } };
    readonly client: { readonly clientId: string; readonly clientName?: string };
    readonly result?: { readonly consent?: { readonly grantId?: string } };
    readonly provider: Provider;
    urlFor(route: string): string;
  }

  export type Middleware = (ctx: KoaContext, next: () => Promise<unknown>) => unknown;

  export interface Interaction {
    readonly uid: string;
    readonly prompt: { readonly name: string; readonly details: Record<string, unknown> };
    readonly params: { readonly client_id?: string; readonly scope?: string };
    readonly session?: { readonly accountId?: string };
  }

  export interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    proxy: boolean;
    readonly Grant: {
      new (owner: { accountId: string; clientId: string }): Grant;
      find(id: string): Promise<Grant | undefined>;
    };
    use(middleware: Middleware): this;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    on(event: string, listener: (...values: unknown[]) => void): this;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Record<string, unknown>,
      options: { mergeWithLastSubmission: boolean },
    ): Promise<void>;
  }
}
