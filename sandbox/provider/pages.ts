/** The identity provider's pages: plain HTML without scripts or other resources. */

const style = `
:root { color-scheme: light dark; --page: #eef1f6; --card: #fff; --text: #16202e; --soft: #566377;
  --line: #c3ccd9; --accent: #1f5fd0; --on-accent: #fff; --bad: #b3261e; --bad-page: #fdeceb; }
@media (prefers-color-scheme: dark) { :root { --page: #10151d; --card: #1a212c; --text: #e8edf5; --soft: #a3afc0;
  --line: #3a4657; --accent: #7fa9ff; --on-accent: #0c1320; --bad: #ffb4ab; --bad-page: #3a1c1a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 25rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.9rem; box-shadow: 0 0.6rem 2rem rgb(0 0 0 / 12%); }
.brand { display: flex; align-items: center; gap: 0.6rem; margin: 0 0 1.5rem; color: var(--soft); font-weight: 600; }
.brand svg { width: 1.8rem; height: 1.8rem; }
h1 { margin: 0 0 0.4rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1.1rem; color: var(--soft); }
p strong, code { color: var(--text); }
label { display: block; margin: 0 0 1rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: 0.35rem; padding: 0.65rem 0.75rem; font: inherit; font-weight: 400;
  color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 0.5rem; }
input.code { font: 600 1.3rem ui-monospace, monospace; letter-spacing: 0.12em; text-transform: uppercase; }
button { width: 100%; padding: 0.7rem 1rem; font: inherit; font-weight: 600; cursor: pointer; color: var(--on-accent);
  background: var(--accent); border: 1px solid var(--accent); border-radius: 0.5rem; }
button.quiet { margin-top: 0.6rem; color: var(--accent); background: none; border-color: transparent; }
button:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.error { padding: 0.65rem 0.75rem; color: var(--bad); background: var(--bad-page); border-radius: 0.5rem; }
.shown-code { margin: 0 0 1.1rem; padding: 0.8rem; text-align: center; font: 600 1.7rem ui-monospace, monospace;
  letter-spacing: 0.12em; color: var(--text); background: var(--page); border-radius: 0.5rem; }
.note { margin: 1.3rem 0 0; padding-top: 1.1rem; border-top: 1px solid var(--line); font-size: 0.9rem; }`;

const brand = `<div class="brand"><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"
fill="var(--accent)"/><path d="M10 15v-3a6 6 0 0 1 12 0v3M9 15h14v9H9z" fill="none" stroke="var(--on-accent)"
stroke-width="2.2" stroke-linejoin="round"/></svg>Example Corp</div>`;

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Example Corp</title>
<style>${style}</style>
</head>
<body>
<main>
${brand}
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>
`;
}

function errorLine(error: string | undefined): string {
  return error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(error)}</p>`;
}

/** The sign-in form. It posts `username`, `password` and `action` (`sign-in` or `deny`) to its own address. */
export function signInPage(view: {
  readonly clientId: string;
  readonly username?: string;
  readonly error?: string;
  /** Shown under the form, e.g. the demo account's name. */
  readonly note?: string;
}): string {
  return page(
    'Sign in',
    `<p><strong>${escapeHtml(view.clientId)}</strong> asks who you are.</p>
${errorLine(view.error)}
<form method="post">
<label>User name or e-mail
<input name="username" value="${escapeHtml(view.username ?? '')}" autocomplete="username" autocapitalize="none"
 spellcheck="false" required${view.username ? '' : ' autofocus'}></label>
<label>Password
<input name="password" type="password" autocomplete="current-password" required
${view.username ? ' autofocus' : ''}></label>
<button name="action" value="sign-in">Sign in</button>
<button class="quiet" name="action" value="deny" formnovalidate>Deny</button>
</form>
${view.note === undefined ? '' : `<p class="note">${escapeHtml(view.note)}</p>`}`,
  );
}

/** Asks for the code that a device shows (RFC 8628 §3.3). */
export function deviceCodePage(view: {
  readonly action: string;
  readonly xsrf: string;
  readonly userCode?: string;
  readonly error?: string;
}): string {
  return page(
    'Connect a device',
    `<p>Enter the code that your terminal shows.</p>
${errorLine(view.error)}
<form method="post" action="${escapeHtml(view.action)}">
<input type="hidden" name="xsrf" value="${escapeHtml(view.xsrf)}">
<label>Code
<input class="code" name="user_code" value="${escapeHtml(view.userCode ?? '')}" autocomplete="off"
 autocapitalize="characters" spellcheck="false" required autofocus></label>
<button>Continue</button>
</form>`,
  );
}

/** Asks the user to confirm that the device shows this code, against remote phishing (RFC 8628 §5.4). */
export function deviceConfirmPage(view: {
  readonly action: string;
  readonly xsrf: string;
  readonly userCode: string;
  readonly clientId: string;
}): string {
  return page(
    'Is this your device?',
    `<p><strong>${escapeHtml(view.clientId)}</strong> wants to sign in. Go on only if your terminal shows this code:</p>
<p class="shown-code">${escapeHtml(view.userCode)}</p>
<form method="post" action="${escapeHtml(view.action)}">
<input type="hidden" name="xsrf" value="${escapeHtml(view.xsrf)}">
<input type="hidden" name="user_code" value="${escapeHtml(view.userCode)}">
<button name="confirm" value="yes">Yes, continue</button>
<button class="quiet" name="abort" value="yes">No, deny</button>
</form>`,
  );
}

/** A page with a message and no form. */
export function messagePage(title: string, text: string, details: readonly string[] = []): string {
  const lines = details.map((line) => `<p><code>${escapeHtml(line)}</code></p>`).join('\n');
  return page(title, `<p>${escapeHtml(text)}</p>\n${lines}`);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
