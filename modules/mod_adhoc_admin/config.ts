import { renderForm, type AdhocCommand, type Context } from '#core'
import { done, OWN, refused } from '../lib_admin'

const COMMAND = 'config-reload'

export function configCommands(ctx: Context): AdhocCommand[] {
  return [
    {
      node: `${OWN}#${COMMAND}`,
      name: 'Reload the config',
      access: 'operator',
      onAccount: true,
      serverWide: true,
      stages: [],
      async finish(_, run) {
        const { ok, lines } = await ctx.server.config.reload(run.event)
        const report = lines.join('\n')
        if (ok) done({ ctx, run, command: COMMAND }, 'config', report)
        else refused({ ctx, run, command: COMMAND }, 'config', report)
        const summary = ok ? 'The config was read again.' : 'The config has faults; nothing was changed.'
        return {
          notes: [{ type: ok ? 'info' : 'error', text: summary }],
          form: renderForm(
            {
              formType: OWN,
              title: summary,
              fields: [{ var: 'report', type: 'text-multi', label: 'Report' }]
            },
            { report },
            'result'
          )
        }
      }
    }
  ]
}
