/** README.md of a package, for its users. */

export type ReadmeFacts = {
  readonly profile: string;
  readonly build: string;
  /** True: Claude Code reports its use. */
  readonly hasTelemetry: boolean;
  /** True: the package contains Node.js. */
  readonly hasRuntime: boolean;
};

export function buildUserReadme({ profile, build, hasTelemetry, hasRuntime }: ReadmeFacts): string {
  const needs = hasRuntime
    ? 'It needs nothing else on your computer, no Node.js and no AWS CLI, and no administrator rights.'
    : 'You need Node.js 20.19 or newer, and no administrator rights.';
  const telemetry = hasTelemetry
    ? `
Your company has switched on telemetry: Claude Code reports how much it is used, and by whom, to your company's own
collector. What it reports is in Claude Code's documentation under "Monitoring".
`
    : '';
  return `# Claude Code with Amazon Bedrock

This lets Claude Code use Amazon Bedrock with the account you sign in to at work with. There are no keys to copy.

## Three commands

In the folder you unpacked, in a terminal:

\`\`\`sh
./install.sh                                  # once
~/claude-code-with-bedrock/bedrock-auth login # opens your company's sign-in page
claude                                        # Claude Code, as always
\`\`\`

The second one is not even needed: Claude Code opens the page itself when you are not signed in. Until your company
asks for it again, you stay signed in. ${needs}
Claude Code itself is not in here: if you do not have it yet, \`npm install -g @anthropic-ai/claude-code\` or what your
company says.

Other programs that use AWS find the same access as the profile \`${profile}\`:

\`\`\`sh
AWS_PROFILE=${profile} aws sts get-caller-identity
\`\`\`

## What it changes on your computer

- \`~/claude-code-with-bedrock/\`: everything that is installed.
- \`~/.aws/config\`: one section, \`[profile ${profile}]\`. Your other profiles stay as they are.
- \`~/.claude/settings.json\`: the settings in \`.claude/settings.json\` here. Your other settings stay as they are.
- A small service of your own account that starts when you log in and renews your access.
${telemetry}
## Upgrade

Unpack the new package and run its \`./install.sh\`. You stay signed in, and Claude Code may go on running.

## Uninstall

\`\`\`sh
~/claude-code-with-bedrock/bedrock-auth uninstall
\`\`\`

shows what it will remove, and asks. It leaves your files as they were.

## If something does not work

\`\`\`sh
~/claude-code-with-bedrock/bedrock-auth doctor
\`\`\`

looks at everything and says what to do. Its output holds no secrets: send it to whoever gave you this package.

This is version ${build}.
`;
}
