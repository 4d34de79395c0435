const DISABLE = /^\s*eslint-disable(?:-next-line|-line)?(?=\s|$)/

/**
 * A rule that is switched off has its reason beside it: `// eslint-disable-next-line RULE -- reason`. (A comment
 * that switches off all rules for a file silences this one too: test/tooling/sources.test.ts looks for those.)
 */
export default {
  meta: {
    type: 'suggestion',
    docs: { description: 'a disabled rule names itself and a reason' },
    schema: [],
    messages: {
      reason: "Say why the rule is off: '// eslint-disable-next-line RULE -- reason'.",
      rule: 'Name the rule that is off; all rules at once is never meant.'
    }
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const match = DISABLE.exec(comment.value)
          if (!match) continue
          const [rules, ...reason] = comment.value.slice(match[0].length).split(/\s-{2,}\s/)
          if (rules.trim() === '') context.report({ loc: comment.loc, messageId: 'rule' })
          else if (reason.join('').trim() === '') context.report({ loc: comment.loc, messageId: 'reason' })
        }
      }
    }
  }
}
