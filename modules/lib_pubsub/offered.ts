import type { FormField } from '#core'
import type { ConfigField } from './config'
import type { Definition } from './definition'
import type { Actor, Node, ReadStore } from './store'

type FormOption = NonNullable<FormField['options']>[number]

/** The fields of the configuration as the form shows them to somebody: for a node of theirs, or for that node. */
export async function offeredFields<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  node?: N
): Promise<readonly ConfigField[]> {
  const models = Object.values(def.access)
  if (!models.some(model => model.isOfferedTo)) return def.fields
  const owners = node ? await ownersOf(def, store, node) : [actor.bare]
  const offered = (name: string): boolean =>
    node?.config.access_model === name || def.access[name]?.isOfferedTo?.(owners) !== false
  const shown = def.fields.filter(({ goesWith }) => goesWith === undefined || offered(goesWith))
  return await Promise.all(
    shown.map(async field => {
      if (field.key === 'access_model') return withOptions(field, optionsOf(field).filter(offered))
      const groups = field.goesWith && (await def.access[field.goesWith]?.groupsOf?.(actor.bare, store))
      return groups ? withOptions(field, groups) : field
    })
  )
}

function optionsOf({ form }: ConfigField): string[] {
  return (form.options ?? []).map(option => (typeof option === 'string' ? option : option.value))
}

/** The same with these options, which keep their labels. */
function withOptions(field: ConfigField, values: readonly string[]): ConfigField {
  const known = new Map<string, FormOption>(
    (field.form.options ?? []).map(option =>
      typeof option === 'string' ? [option, option] : [option.value, option]
    )
  )
  const options = values.map(value => known.get(value) ?? value)
  return { ...field, form: { ...field.form, options } }
}

async function ownersOf<N extends Node, X>(
  def: Definition<N, X>,
  store: ReadStore<N, X>,
  node: N
): Promise<string[]> {
  const { rows } = await store.affiliations(node, { limit: def.limits.approvers }, [def.roles.owner])
  return rows.map(row => row.jid)
}
