import type { z } from 'zod'
import { conform } from './conform'
import { Faults } from './faults'
import { isSchema } from './schema'
import { Translation, UNSAID } from './translation'
import type { ConfigNode } from './tree'

/**
 * Checks a part of the file against its schema. Unknown keys are faults whether or not the schema is strict.
 * Undefined where the part cannot be used; the faults say why.
 */
export function check(
  schema: unknown,
  node: ConfigNode,
  folder: string,
  faults: Faults
): { value: unknown } | undefined {
  if (!isSchema(schema)) {
    faults.add(node.place, 'its options have no schema that can be read; it must be one of zod 4')
    return undefined
  }
  const own = new Faults(faults.file)
  try {
    const conformed = conform(schema, node, folder, own)
    const result = (schema as z.ZodType).safeParse(conformed.value, { error: () => UNSAID })
    if (!result.success) new Translation(node, conformed, own).tell(result.error.issues)
    return result.success && !own.any ? { value: result.data } : undefined
  } catch (error) {
    // A schema is a module's code: what it throws must not keep the other faults from being told
    own.add(node.place, `its schema failed: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  } finally {
    faults.addAll(own)
  }
}
