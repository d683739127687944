import type { Values } from './commands.ts';
import { COMPLETED, type CompletedFlag } from './completion-table.ts';

/** Completion for bash 3.2, which macOS has, and later; needs no bash-completion. */
export function bashCompletion(): string {
  const paths = COMPLETED.filter(({ path }) => path.length > 0).map(
    ({ path }) =>
      `      '${[...path.slice(0, -1), ''].join(' ')}|${path.at(-1)}') path+='${path.at(-1)} ' ;;`,
  );
  const takers = new Set(
    COMPLETED.flatMap(({ flags }) => flags.filter(({ values }) => values).flatMap(written)),
  );
  const values = COMPLETED.flatMap(({ path, flags }) =>
    flags.flatMap((flag) => {
      if (!flag.values) return [];
      const patterns = written(flag).map((text) => `'${at(path)}|${text}'`);
      return [`    ${patterns.join(' | ')}) ${reply(flag.values)}; return ;;`];
    }),
  );
  const words = COMPLETED.map(({ path, commands, flags, operand }) => {
    const names = commands.map(({ name }) => name);
    const dashed = flags.flatMap(written);
    const others = operand === undefined ? offer(names) : reply(operand);
    return `    '${at(path)}') if [[ $cur == -* ]]; then ${offer(dashed)}; else ${others}; fi ;;`;
  });
  return `# bash completion of bedrock-auth, printed by: bedrock-auth completion bash
_bedrock_auth() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' word i skip=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${[...takers].join(' | ')}) skip=1; continue ;;
    esac
    if [[ $path == 'exec ' && $word != -* ]]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi
    case "$path|$word" in
${paths.join('\n')}
    esac
  done
  case "$path|$prev" in
${values.join('\n')}
  esac
  case $path in
${words.join('\n')}
  esac
}
complete -F _bedrock_auth bedrock-auth
`;
}

function at(path: readonly string[]): string {
  return path.map((word) => `${word} `).join('');
}

function written({ short, long }: CompletedFlag): string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${long}`];
}

function offer(words: readonly string[]): string {
  return words.length === 0 ? ':' : `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`;
}

function reply(values: Values): string {
  if (values === 'files') return 'COMPREPLY=($(compgen -f -- "$cur"))';
  if (values === 'commands') return 'COMPREPLY=($(compgen -c -- "$cur"))';
  if (values !== 'profiles') return offer(values);
  return 'COMPREPLY=($(compgen -W "$("$1" completion --profiles 2>/dev/null)" -- "$cur"))';
}
