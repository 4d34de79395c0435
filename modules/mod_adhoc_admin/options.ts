import {
  FormError,
  renderTable,
  StanzaError,
  type AdhocCommand,
  type CodedError,
  type CommandResult,
  type Context,
  type FormDef,
  type FormValues,
  type PlacedOptions
} from '#core'
import { done, OWN } from '../lib_admin'
import { hostOf, oneModule } from './modules'

/** Rows of one answer, at most: a module with many options on many hosts. */
const MAX_ROWS = 1000
/** Characters of options to be checked, at most. */
const MAX_TEXT = 20_000

/** The options of modules, to be read and tried; what holds is changed in the file, which stays the one truth. */
export function optionCommands(ctx: Context): AdhocCommand[] {
  const { modules } = ctx.server
  const names = (): string[] => [...new Set(modules.list().map(({ name }) => name))].sort()
  return [
    {
      node: `${OWN}#module-options`,
      name: 'Show the options of a module',
      access: 'operator',
      onAccount: true,
      serverWide: true,
      reads: true,
      stages: [
        {
          form: () =>
            oneModule(ctx, {
              title: 'Options of a module',
              instructions: 'What holds, by whom it is set, and what it means. Secrets are not shown.',
              module: { options: names(), open: true }
            }),
          check: said => void optionsOf(ctx, said)
        }
      ],
      finish(said, run) {
        const rows = optionsOf(ctx, said).flatMap(placed => rowsOf(ctx, said.module as string, placed))
        done({ ctx, run, command: 'module-options' }, said.module as string)
        const form = renderTable(
          { ...TABLE, title: `Options of ${String(said.module)}` },
          rows.slice(0, MAX_ROWS)
        )
        if (rows.length <= MAX_ROWS) return { form }
        const text = `These are ${MAX_ROWS} of ${rows.length}: choose a host to see the others.`
        return { form, notes: [{ type: 'warn', text }] }
      }
    },
    {
      node: `${OWN}#module-options-check`,
      name: 'Check options for a module',
      access: 'operator',
      onAccount: true,
      serverWide: true,
      reads: true,
      stages: [
        {
          form: () => {
            const form = oneModule(ctx, {
              title: 'Check options',
              instructions:
                'Options as they would stand in the config file (YAML), over those that are there. Nothing is changed: write them into the file when they are in order, and reload the config.',
              module: { options: names(), open: true }
            })
            const options = {
              var: 'options',
              type: 'text-multi' as const,
              label: 'Options',
              required: true,
              maxLength: MAX_TEXT
            }
            return { ...form, fields: [...form.fields, options] }
          },
          check: said => void optionsOf(ctx, said)
        }
      ],
      finish(said, run): CommandResult {
        const name = said.module as string
        const { ok, lines } = asked(() =>
          modules.checkOptions(name, said.options as string, hostOf(said.host))
        )
        done({ ctx, run, command: 'module-options-check' }, name, ok ? 'in order' : 'with faults')
        // XEP-0050 §3.6: what failed is a note of type error
        if (!ok) return { notes: lines.map(text => ({ type: 'error', text })) }
        return {
          notes: [{ type: 'info', text: `These options are in order for ${name}. Nothing was changed.` }]
        }
      }
    }
  ]
}

const TABLE: FormDef = {
  formType: OWN,
  fields: [
    { var: 'host', label: 'Host' },
    { var: 'option', label: 'Option' },
    { var: 'value', label: 'Value' },
    { var: 'set-by', label: 'Set by' },
    { var: 'default', label: 'Default' },
    { var: 'type', label: 'What it can be' },
    { var: 'meaning', label: 'Meaning' }
  ]
}

/** Throws a FormError that names the field. */
function optionsOf(ctx: Context, said: FormValues): PlacedOptions[] {
  return asked(() => ctx.server.modules.options(said.module as string, hostOf(said.host)))
}

function asked<T>(fn: () => T): T {
  try {
    return fn()
  } catch (error) {
    const { code, message } = error as CodedError
    if (code === 'ERR_MODULE_SCOPE') throw new FormError(message, 'host')
    if (typeof code === 'string' && code.startsWith('ERR_MODULE_')) throw new FormError(message, 'module')
    throw new StanzaError('internal-server-error')
  }
}

function rowsOf(ctx: Context, name: string, { host, options }: PlacedOptions): FormValues[] {
  const overrides = host === undefined ? [] : (ctx.server.host(host)?.items.list('config-override') ?? [])
  return options.map(option => {
    const override = overrides.find(one => one.option === `${name}.${option.key}`)
    return {
      host: host === '' ? 'the server' : (host ?? 'on none'),
      option: option.key,
      value: override?.value ?? option.value ?? '',
      'set-by': override ? `command, ${override.by ?? 'by somebody'}` : option.written ? 'file' : 'default',
      default: option.default ?? '',
      type: option.type,
      meaning: option.description
    }
  })
}
