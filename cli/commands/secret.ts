import { command } from '../command.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';
import { formatAgo } from '../output/format.ts';

export const secret = command({
  name: 'secret',
  summary: "The names of an environment's secrets; their values are never shown",
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { environment, path } = await environmentOf(shell, given);
    const { data } = await shell.client().call('listSecrets', { path });
    shell.out.list(data, {
      none: `${environment.name} has no secrets: dctl secret set NAME sets one.`,
      heads: ['SECRET', 'CHANGED', 'BY'],
      row: (each) => [each.name, formatAgo(each.updated_at), each.updated_by],
    });
  },
});
