/** What the daemon and its keyring child say to each other over the IPC channel. */
export type KeyringRequest =
  | { operation: 'read' | 'remove'; account: string }
  | { operation: 'write'; account: string; value: string };

export type KeyringReply =
  | { ok: true; value: string | null }
  | { ok: false; problem: 'locked' | 'absent' | 'failed'; detail: string };

/** The service every item is stored under, as a keyring manager shows it. */
export const KEYRING_SERVICE = 'claude-code-with-bedrock';
