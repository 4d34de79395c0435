import type { FormOption, FormValue } from '../../xml/form'
import type { StageForm } from '../../modules/adhoc'
import { childOf, childrenOf, childText, isElement, nsOf, textOf, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { AskedField, AskedForm, ResultField, ResultForm } from './protocol'

/** A form to be filled in, as plain data. */
export function askedForm({ title, instructions = [], fields, values = {} }: StageForm): AskedForm {
  return {
    ...(title === undefined ? {} : { title }),
    instructions: [instructions].flat(),
    fields: fields.map((field): AskedField => {
      const { label, desc, required = false, options, open = false, type = 'text-single' } = field
      return {
        var: field.var,
        type,
        ...(label === undefined ? {} : { label }),
        ...(desc === undefined ? {} : { desc }),
        required,
        ...(options ? { options: options.map(asOption) } : {}),
        open,
        values:
          type === 'text-private' || !Object.hasOwn(values, field.var)
            ? []
            : asValues(values[field.var], type)
      }
    })
  }
}

function asOption(option: FormOption | string): { value: string; label?: string } {
  return typeof option === 'string' ? { value: option } : option
}

function asValues(value: FormValue | undefined, type: string): string[] {
  if (value === undefined) return []
  if (typeof value === 'boolean') return [value ? '1' : '0']
  if (Array.isArray(value)) return value
  return type === 'text-multi' ? value.split('\n') : [value]
}

/** A form of type `result`, as plain data. */
export function resultForm(x: Element): ResultForm {
  const title = childText(x, 'title', NS.FORM)
  const reported = childOf(x, 'reported', NS.FORM)
  const columns = reported ? childrenOf(reported, 'field', NS.FORM).map(named) : []
  return {
    ...(title === undefined || title === '' ? {} : { title }),
    fields: childrenOf(x, 'field', NS.FORM)
      .map(resultField)
      // XEP-0068: FORM_TYPE is no text for people
      .filter(({ type }) => type !== 'hidden'),
    ...(reported ? { reported: columns } : {}),
    items: childrenOf(x, 'item', NS.FORM).map(item => {
      const values = new Map(
        childrenOf(item, 'field', NS.FORM).map(field => [named(field).var, valuesOf(field)])
      )
      return columns.map(column => values.get(column.var) ?? [])
    }),
    others: x.children
      .filter(child => isElement(child) && nsOf(child) !== NS.FORM)
      .map(child => rowsOf(child as Element))
  }
}

function named(field: Element): { var: string; label?: string } {
  const { var: name = '', label } = field.attrs as { var?: string; label?: string }
  return { var: name, ...(label === undefined ? {} : { label }) }
}

function resultField(field: Element): ResultField {
  return {
    ...named(field),
    type: field.attrs.type ?? 'text-single',
    values: valuesOf(field)
  }
}

function valuesOf(field: Element): string[] {
  return childrenOf(field, 'value', NS.FORM).map(textOf)
}

/** An element of lines, such as a roster: their attributes, and the texts of what is within (groups). */
function rowsOf(element: Element): ResultForm['others'][number] {
  const lines = element.children.filter(isElement)
  const rows = lines.map(line => {
    const cells = new Map(Object.entries(line.attrs).filter(([name]) => name !== 'xmlns'))
    for (const child of line.children.filter(isElement))
      cells.set(child.name, [cells.get(child.name), textOf(child)].filter(Boolean).join(', '))
    return cells
  })
  const columns = [...new Set(rows.flatMap(cells => [...cells.keys()]))]
  return {
    name: nsOf(element) ?? element.name,
    columns,
    rows: rows.map(cells => columns.map(name => cells.get(name) ?? ''))
  }
}
