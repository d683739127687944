import { SHELLS } from '../../common/completion/script.ts';
import type { CompletionFlags } from '../terminal/completion.ts';
import type { AdminCommand, CommandCall } from './command.ts';

const NOTES = `
To have it in each new shell, once:
  bash  echo 'source <(ccwb completion bash)' >> ~/.bashrc
  zsh   echo 'source <(ccwb completion zsh)' >> ~/.zshrc
  fish  ccwb completion fish > ~/.config/fish/completions/ccwb.fish

Examples:
  $ source <(ccwb completion bash)
`;

export const COMPLETION: AdminCommand = {
  name: 'completion',
  summary: 'print the completion of these commands for a shell',
  description: 'Prints the completion of these commands for a shell.',
  operand: { name: '[shell]', text: SHELLS.join(', ') },
  flags: [{ flags: '--profiles', text: 'print the names of profiles, which completion offers' }],
  notes: NOTES,
  run: async ({ flags, operands, program, edges }: CommandCall<CompletionFlags>) => {
    const { printCompletion } = await import('../terminal/completion.ts');
    printCompletion(operands[0], flags, program, edges);
  },
};
