// time limit: 240 s
import { profanityIsMissing, profanityLogsIn } from './logins/profanity'
import { loginTests } from './logins/ways'

loginTests({ name: 'profanity', skip: profanityIsMissing(), logsIn: profanityLogsIn })
