import { command } from '../command.ts';
import { completionScripts } from '../completion/scripts.ts';

export const completion = command({
  name: 'completion',
  summary: 'Print the shell script that completes commands, options and names with Tab',
  examples: [
    'echo \'eval "$(dctl completion bash)"\' >> ~/.bashrc',
    'echo \'eval "$(dctl completion zsh)"\' >> ~/.zshrc   # below compinit',
    'dctl completion fish > ~/.config/fish/completions/dctl.fish',
  ],
  arguments: { shell: { about: 'which one', choices: ['bash', 'zsh', 'fish'] } },
  async run({ out }, given) {
    const script = completionScripts[given.shell as keyof typeof completionScripts];
    out.answer({ script }, () => out.say(script));
  },
});
