import type { Fetch } from '../../network/transport.ts';

/** Receives the refresh token of a successful reply; undefined when it has none. */
type OnReply = (refreshToken: string | undefined) => Promise<void>;

/** A `fetch` that reads the token endpoint's replies before the library does. */
export type RotationWatch = {
  readonly fetch: Fetch;
  /**
   * Calls and awaits `onRefreshToken` with the successor of a refresh token (RFC 6749 6) before the library
   * gets the reply. The library may reject the rest of the reply, but the old token may be spent.
   */
  watch(onRefreshToken: (refreshToken: string) => Promise<void>): {
    /** True once the token endpoint has answered with success. */
    answered(): boolean;
    end(): void;
  };
};

export function createRotationWatch(through: Fetch): RotationWatch {
  let onReply: OnReply | undefined;
  const watching: typeof fetch = async (input, init) => {
    const observer = onReply;
    const response = await through(input as string | URL, init);
    const grant = init?.body instanceof URLSearchParams ? init.body.get('grant_type') : undefined;
    if (observer && grant === 'refresh_token' && response.ok) {
      const body: unknown = await response
        .clone()
        .json()
        .catch(() => undefined);
      if (typeof body === 'object' && body !== null) {
        const successor = 'refresh_token' in body ? body.refresh_token : undefined;
        await observer(typeof successor === 'string' ? successor : undefined);
      }
    }
    return response;
  };
  return {
    fetch: watching as Fetch,
    watch: (onRefreshToken) => {
      let answered = false;
      onReply = async (successor) => {
        answered = true;
        if (successor !== undefined) await onRefreshToken(successor);
      };
      return {
        answered: () => answered,
        end: () => {
          onReply = undefined;
        },
      };
    },
  };
}
