import type { WebhookFormat } from '../../config/alerts.js'

/** Bodies of well-known receivers, as templates (docs/alerting.md shows how to write one's own). */
export const WEBHOOK_FORMATS: Readonly<Record<WebhookFormat, unknown>> = {
  // The record as NDJSON has it.
  generic: '{{alert}}',
  // Incoming webhooks: api.slack.com/messaging/webhooks
  slack: { text: '{{slack_text}}' },
  // "When a Teams webhook request is received" of Workflows takes a message with an Adaptive Card.
  teams: {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            { type: 'TextBlock', size: 'Medium', weight: 'Bolder', wrap: true, text: '{{title}}' },
            { type: 'TextBlock', wrap: true, text: '{{message}}' },
            { type: 'FactSet', facts: '{{teams_facts}}' },
          ],
        },
      },
    ],
  },
  // Events API v2: the secret is the integration's routing key.
  pagerduty: {
    routing_key: '{{secret}}',
    event_action: '{{action}}',
    dedup_key: '{{alert_id}}',
    payload: {
      summary: '{{pagerduty_summary}}',
      source: '{{probe}}',
      severity: '{{severity}}',
      timestamp: '{{time}}',
      component: '{{path}}',
      group: '{{trunk}}',
      class: '{{rule}}',
      custom_details: '{{pagerduty_details}}',
    },
  },
}
