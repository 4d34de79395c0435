/*
 * A module is loaded again and again in one process, and once for several hosts: what it remembers belongs to
 * its context, not to the file. At the top level of a file below modules/ only what cannot change may stand.
 */

const CONTAINERS = new Set([
  'Array',
  'ArrayBuffer',
  'EventEmitter',
  'Map',
  'Set',
  'SharedArrayBuffer',
  'WeakMap',
  'WeakSet'
])
const READONLY = new Set(['Readonly', 'ReadonlyArray', 'ReadonlyMap', 'ReadonlySet', 'DeepReadonly'])

export default {
  meta: {
    type: 'problem',
    docs: { description: 'no mutable state at the top level of a module file' },
    schema: [],
    messages: {
      letVar:
        "'{{kind}}' at the top level is state shared by all hosts and lost at a reload: keep it in setup().",
      container:
        "'{{name}}' is mutable at the top level: keep it in setup(), or freeze it, or give it a readonly type.",
      mutated: "'{{name}}' stands at the top level and is changed here: keep it in setup().",
      staticField: 'A mutable static field is state shared by all hosts: keep it in setup().'
    }
  },
  create(context) {
    const check = declaration => {
      if (declaration.declare) return
      if (declaration.kind !== 'const') {
        context.report({ node: declaration, messageId: 'letVar', data: { kind: declaration.kind } })
        return
      }
      for (const declarator of declaration.declarations) checkConst(context, declarator)
    }
    return {
      'Program > VariableDeclaration': check,
      'Program > ExportNamedDeclaration > VariableDeclaration': check,
      'PropertyDefinition[static=true]'(node) {
        if (!node.readonly || isMutableValue(node.value, node.typeAnnotation))
          context.report({ node, messageId: 'staticField' })
      }
    }
  }
}

function checkConst(context, declarator) {
  const { id, init } = declarator
  const name = id.type === 'Identifier' ? id.name : context.sourceCode.getText(id)
  if (isMutableValue(init, id.typeAnnotation)) {
    context.report({ node: declarator, messageId: 'container', data: { name } })
    return
  }
  for (const variable of context.sourceCode.getDeclaredVariables(declarator))
    for (const reference of variable.references) {
      const change = mutationOf(reference.identifier)
      if (change) context.report({ node: change, messageId: 'mutated', data: { name: variable.name } })
    }
}

function isMutableValue(init, annotation) {
  if (!init) return false
  if (annotation && isReadonlyType(annotation.typeAnnotation)) return false
  if (init.type === 'TSAsExpression') {
    if (isConstAssertion(init.typeAnnotation) || isReadonlyType(init.typeAnnotation)) return false
    return isMutableValue(init.expression)
  }
  if (init.type === 'TSSatisfiesExpression' || init.type === 'TSNonNullExpression')
    return isMutableValue(init.expression)
  if (init.type === 'ArrayExpression') return true
  // An object that lists what it holds is a table; whether it is changed is seen at its uses.
  if (init.type === 'ObjectExpression') return init.properties.length === 0
  return (
    init.type === 'NewExpression' && init.callee.type === 'Identifier' && CONTAINERS.has(init.callee.name)
  )
}

function isConstAssertion(type) {
  return (
    type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name === 'const'
  )
}

function isReadonlyType(type) {
  if (type.type === 'TSTypeOperator') return type.operator === 'readonly'
  return (
    type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && READONLY.has(type.typeName.name)
  )
}

/** The assignment, update or delete that changes what the name stands for: `x.a = 1`, `x[k]++`, `delete x.a.b`. */
function mutationOf(identifier) {
  let node = identifier
  while (node.parent?.type === 'MemberExpression' && node.parent.object === node) node = node.parent
  if (node === identifier) return undefined
  const { parent } = node
  if (parent.type === 'AssignmentExpression' && parent.left === node) return parent
  if (parent.type === 'UpdateExpression') return parent
  if (parent.type === 'UnaryExpression' && parent.operator === 'delete') return parent
  return undefined
}
