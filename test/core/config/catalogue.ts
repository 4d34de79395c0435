import { z } from 'zod'
import { domainOption, listenOption } from '../../../core/config'
import { loadConfig, type Config, type Fault, type ModuleCatalogue } from '../../../core/config'

/** Modules that exist nowhere else, one for each thing that options can be. */
export const MODULES: Record<string, ReturnType<ModuleCatalogue['get']>> = {
  c2s: {
    on: ['server'],
    schema: z.object({
      listen: z.array(listenOption()).default([]),
      tls: z.enum(['required', 'optional', 'off']).default('required')
    })
  },
  roster: {
    on: ['virtual'],
    schema: z.object({
      maxContacts: z.int().min(1).default(1000),
      versioning: z.boolean().default(true),
      groups: z
        .record(z.string(), z.object({ size: z.number().optional(), open: z.boolean().optional() }))
        .default({})
    })
  },
  archive: { on: ['virtual', 'component'], schema: z.object({}), dependencies: ['roster'] },
  register: { on: ['virtual'], schema: z.object({ password: z.string().min(8).optional() }) },
  disco: { on: ['virtual', 'component'], schema: z.object({ name: z.string().optional() }) },
  channels: {
    on: ['component'],
    schema: z.object({
      topicDomains: z.array(domainOption()).default([]),
      policy: z
        .union([z.literal('open'), z.object({ allow: z.array(z.string()), until: z.int().optional() })])
        .default('open')
    })
  },
  push: { on: ['component'], schema: z.object({ key: z.string() }) },
  broken: { error: 'mod_broken/index.ts:3:7: Unexpected token' },
  angry: {
    on: ['virtual'],
    schema: z.object({}).refine(() => {
      throw new Error('no')
    })
  },
  old: { on: ['virtual'], schema: { parse: () => ({}) } as never }
}

export const catalogue: ModuleCatalogue = { get: name => MODULES[name], names: () => Object.keys(MODULES) }

export function load(text: string, env: Record<string, string> = {}) {
  return loadConfig({ text, name: 'test.yaml', folder: '/srv/balcony' }, catalogue, env)
}

export function loadGood(text: string, env: Record<string, string> = {}): Config {
  const result = load(text, env)
  if (!result.ok) throw new Error(result.faults.map(line).join('\n'))
  return result.config
}

export function faultsOf(text: string, env: Record<string, string> = {}): string[] {
  const result = load(text, env)
  return result.ok ? [] : result.faults.map(line)
}

export function line(fault: Fault): string {
  return `${fault.line}:${fault.column} ${fault.path}: ${fault.message}`
}
