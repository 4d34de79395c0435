import {
  renderTable,
  type AdhocCommand,
  type CommandResult,
  type CommandRun,
  type Context,
  type FormDef,
  type FormField,
  type ModuleStatus,
  type ReloadReport
} from '#core'
import { done, OWN, refused } from '../lib_admin'

/** Stands for all hosts, and the server, that the config turns a module on for. No host has this name. */
const EVERYWHERE = '*'

/** Modules concern the whole process, so all of this is the operators'. */
export function moduleCommands(ctx: Context): AdhocCommand[] {
  const { modules } = ctx.server
  const names = (states: readonly ModuleStatus['state'][]): string[] => {
    const listed = modules.list().filter(({ state }) => states.includes(state))
    return [...new Set(listed.map(({ name }) => name))].sort()
  }
  return [
    {
      node: `${OWN}#modules-list`,
      name: 'List modules',
      access: 'operator',
      onAccount: true,
      serverWide: true,
      reads: true,
      stages: [],
      finish: () => ({ form: statusTable(modules.list()) })
    },
    {
      node: `${OWN}#module-load`,
      name: 'Load a module',
      access: 'operator',
      onAccount: true,
      serverWide: true,
      stages: [
        {
          form: () =>
            oneModule(ctx, {
              title: 'Load a module',
              instructions: 'The module starts with the options of the config file.',
              module: { options: names(['unloaded', 'failed', 'waiting']), open: true }
            })
        }
      ],
      finish: (said, run) =>
        act(ctx, run, 'module-load', [said.module as string], name => modules.load(name, hostOf(said.host)))
    },
    {
      node: `${OWN}#module-unload`,
      name: 'Unload a module',
      access: 'operator',
      onAccount: true,
      serverWide: true,
      stages: [
        {
          form: () =>
            oneModule(ctx, {
              title: 'Unload a module',
              instructions: 'Until it is loaded again, or the server starts.',
              module: { options: names(['running', 'failed', 'waiting']) }
            })
        }
      ],
      finish: (said, run) =>
        act(ctx, run, 'module-unload', [said.module as string], name =>
          modules.unload(name, hostOf(said.host), run.event)
        )
    },
    {
      node: `${OWN}#module-reload`,
      name: 'Reload modules',
      access: 'operator',
      onAccount: true,
      serverWide: true,
      stages: [{ form: () => reloadForm(names(['running', 'failed', 'waiting'])) }],
      // The event that asks is not waited for: it may be the module's own
      finish: (said, run) =>
        act(ctx, run, 'module-reload', said.modules as string[], name => modules.reload(name, run.event))
    }
  ]
}

async function act(
  ctx: Context,
  run: CommandRun,
  command: string,
  names: readonly string[],
  fn: (name: string) => Promise<ReloadReport>
): Promise<CommandResult> {
  const reports: ReloadReport[] = []
  for (const name of names) {
    const report = await fn(name)
    reports.push(report)
    if (report.ok) done({ ctx, run, command }, name, report.message)
    else refused({ ctx, run, command }, name, report.message)
  }
  // XEP-0050 §3.6: what failed is a note of type error
  return { notes: reports.map(({ ok, message }) => ({ type: ok ? 'info' : 'error', text: message })) }
}

export function hostOf(value: unknown): string | undefined {
  return value === EVERYWHERE || typeof value !== 'string' || value === '' ? undefined : value
}

export function oneModule(
  ctx: Context,
  { title, instructions, module }: { title: string; instructions: string; module: Partial<FormField> }
): FormDef & { values: { host: string } } {
  const everywhere = { value: EVERYWHERE, label: 'Wherever the config turns it on' }
  return {
    formType: OWN,
    title,
    instructions,
    fields: [
      { var: 'module', type: 'list-single', label: 'Module', required: true, ...module },
      {
        var: 'host',
        type: 'list-single',
        label: 'Host',
        options: [everywhere, ...ctx.server.hosts().map(({ name }) => name)]
      }
    ],
    values: { host: EVERYWHERE }
  }
}

function reloadForm(options: string[]): FormDef {
  return {
    formType: OWN,
    title: 'Reload modules',
    instructions:
      'The code of each is read again and takes over on all its hosts; a faulty one leaves the old one running.',
    fields: [{ var: 'modules', type: 'list-multi', label: 'Modules', required: true, options }]
  }
}

function statusTable(modules: readonly ModuleStatus[]) {
  const def: FormDef = {
    formType: OWN,
    title: 'Modules',
    fields: [
      { var: 'module', label: 'Module' },
      { var: 'host', label: 'Host' },
      { var: 'state', label: 'State' },
      { var: 'version', label: 'Loads' },
      { var: 'error', label: 'Last error' }
    ]
  }
  const rows = modules.map(({ name, host, state, version, error }) => ({
    module: name,
    host: host === '' ? 'the server' : host,
    state,
    version: String(version),
    error: error ?? ''
  }))
  return renderTable(def, rows)
}
