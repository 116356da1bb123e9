#include "CYAML.h"

#include <stdlib.h>
#include <yaml.h>

struct drover_yaml_parser {
  yaml_parser_t parser;
  yaml_event_t event;
  int has_event;
};

drover_yaml_parser *drover_yaml_open(const unsigned char *bytes, unsigned long count) {
  drover_yaml_parser *self = calloc(1, sizeof(*self));
  if (self == NULL) return NULL;
  if (!yaml_parser_initialize(&self->parser)) {
    free(self);
    return NULL;
  }
  yaml_parser_set_encoding(&self->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&self->parser, bytes, count);
  return self;
}

static drover_yaml_mark mark_of(yaml_mark_t mark) {
  drover_yaml_mark result = {mark.line, mark.column};
  return result;
}

int drover_yaml_next(drover_yaml_parser *self, drover_yaml_event *result) {
  if (self->has_event) yaml_event_delete(&self->event);
  self->has_event = 0;
  if (!yaml_parser_parse(&self->parser, &self->event)) return 0;
  self->has_event = 1;
  const yaml_event_t *event = &self->event;
  drover_yaml_event empty = {0};
  *result = empty;
  result->start = mark_of(event->start_mark);
  switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: result->kind = DROVER_YAML_DOCUMENT_START; break;
    case YAML_DOCUMENT_END_EVENT: result->kind = DROVER_YAML_DOCUMENT_END; break;
    case YAML_STREAM_END_EVENT: result->kind = DROVER_YAML_STREAM_END; break;
    case YAML_ALIAS_EVENT:
      result->kind = DROVER_YAML_ALIAS;
      result->anchor = (const char *)event->data.alias.anchor;
      break;
    case YAML_SCALAR_EVENT:
      result->kind = DROVER_YAML_SCALAR;
      result->text = event->data.scalar.value;
      result->length = event->data.scalar.length;
      result->tag = (const char *)event->data.scalar.tag;
      result->anchor = (const char *)event->data.scalar.anchor;
      result->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      break;
    case YAML_SEQUENCE_START_EVENT:
      result->kind = DROVER_YAML_SEQUENCE_START;
      result->anchor = (const char *)event->data.sequence_start.anchor;
      break;
    case YAML_SEQUENCE_END_EVENT: result->kind = DROVER_YAML_SEQUENCE_END; break;
    case YAML_MAPPING_START_EVENT:
      result->kind = DROVER_YAML_MAPPING_START;
      result->anchor = (const char *)event->data.mapping_start.anchor;
      break;
    case YAML_MAPPING_END_EVENT: result->kind = DROVER_YAML_MAPPING_END; break;
    default: result->kind = DROVER_YAML_OTHER; break;
  }
  return 1;
}

drover_yaml_error drover_yaml_problem(const drover_yaml_parser *self) {
  const yaml_parser_t *parser = &self->parser;
  drover_yaml_error error = {0};
  error.kind = parser->error == YAML_READER_ERROR   ? DROVER_YAML_READER_ERROR
               : parser->error == YAML_MEMORY_ERROR ? DROVER_YAML_MEMORY_ERROR
                                                    : DROVER_YAML_SYNTAX_ERROR;
  error.problem = parser->problem;
  error.offset = parser->problem_offset;
  error.mark = mark_of(parser->problem_mark);
  error.context = parser->context;
  error.context_mark = mark_of(parser->context_mark);
  return error;
}

void drover_yaml_close(drover_yaml_parser *self) {
  if (self->has_event) yaml_event_delete(&self->event);
  yaml_parser_delete(&self->parser);
  free(self);
}
