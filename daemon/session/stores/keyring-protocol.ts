/** A message from the daemon to its keyring child, over the IPC channel. */
export type KeyringRequest =
  | { operation: 'read' | 'remove'; account: string }
  | { operation: 'write'; account: string; value: string };

/** The answer of the keyring child. */
export type KeyringReply =
  | { ok: true; value: string | null }
  | { ok: false; problem: 'locked' | 'absent' | 'failed'; detail: string };

/** The service name of every item, as a keyring manager shows it. */
export const KEYRING_SERVICE = 'claude-code-with-bedrock';
