// time limit: 480 s
import { playsParts, pythonLibrary } from './pubsub/server'

playsParts(pythonLibrary('aioxmpp'), [
  {
    name: 'the use cases of XEP-0060',
    script: 'aioxmpp_pubsub.py',
    ends: /ok the node is deleted, with a word where it has gone/
  },
  {
    name: 'channels',
    script: 'aioxmpp_channels.py',
    ends: /ok juliet takes her channel away/
  }
])
