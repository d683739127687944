import type { Values } from './commands.ts';
import { COMPLETED, type Completed } from './completion-table.ts';

/** Completion for fish. */
export function fishCompletion(): string {
  const steps = COMPLETED.filter(({ path }) => path.length > 0).map(
    ({ path }) => `            case ${quoted(` ${path.join(' ')}`)}\n                set path $path $word`,
  );
  return `# fish completion of bedrock-auth, printed by: bedrock-auth completion fish
function __bedrock_auth_at
    set -l words (commandline -opc)
    set -l path
    for word in $words[2..]
        switch " "(string join ' ' -- $path $word)
${steps.join('\n')}
        end
    end
    test "$path" = "$argv"
end
complete -c bedrock-auth -f
${COMPLETED.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, commands, flags, operand }: Completed): string[] {
  const start = `complete -c bedrock-auth -n ${quoted(['__bedrock_auth_at', ...path].join(' '))}`;
  return [
    ...commands.map(({ name, text }) => `${start} -a ${name} -d ${quoted(text)}`),
    ...flags.map(({ short, long, text, values }) => {
      const letters = short === undefined ? '' : ` -s ${short}`;
      return `${start}${letters} -l ${long}${values ? ` ${argument(values)}` : ''} -d ${quoted(text)}`;
    }),
    ...(operand ? [`${start} -a ${offered(operand)}`] : []),
  ];
}

/** `-x`: needs a value, and no file; `-r`: needs a value, which may be a file. */
function argument(values: Values): string {
  return values === 'files' ? '-r -F' : `-x -a ${offered(values)}`;
}

function offered(values: Values): string {
  if (values === 'profiles') return "'(bedrock-auth completion --profiles 2>/dev/null)'";
  if (values === 'commands') return "'(__fish_complete_command)'";
  return values === 'files' ? "'(__fish_complete_path)'" : quoted(values.join(' '));
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
