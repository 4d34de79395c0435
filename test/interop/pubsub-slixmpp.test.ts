// time limit: 480 s
import { playsParts, pythonLibrary } from './pubsub/server'

playsParts(pythonLibrary('slixmpp'), [
  {
    name: 'the use cases of XEP-0060',
    script: 'slixmpp_pubsub.py',
    ends: /ok the node is configured anew and deleted/
  },
  {
    name: 'channels',
    script: 'slixmpp_channels.py',
    ends: /ok juliet takes her channel away/
  }
])
