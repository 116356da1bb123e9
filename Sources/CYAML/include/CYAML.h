#ifndef DROVER_CYAML_H
#define DROVER_CYAML_H

// libyaml's events without libyaml's header: that one pulls the C library's types into the module, and Swift then takes
// this module for the place where they are defined.

typedef struct drover_yaml_parser drover_yaml_parser;

/// Line and column, both from 0.
typedef struct {
  unsigned long line;
  unsigned long column;
} drover_yaml_mark;

typedef enum {
  DROVER_YAML_OTHER,
  DROVER_YAML_DOCUMENT_START,
  DROVER_YAML_DOCUMENT_END,
  DROVER_YAML_STREAM_END,
  DROVER_YAML_ALIAS,
  DROVER_YAML_SCALAR,
  DROVER_YAML_SEQUENCE_START,
  DROVER_YAML_SEQUENCE_END,
  DROVER_YAML_MAPPING_START,
  DROVER_YAML_MAPPING_END,
} drover_yaml_kind;

/// An event. Texts end with a zero byte, may be NULL, and are good until the next event is read.
typedef struct {
  drover_yaml_kind kind;
  const unsigned char *text;
  unsigned long length;
  const char *tag;
  const char *anchor;
  int plain;
  drover_yaml_mark start;
} drover_yaml_event;

typedef enum { DROVER_YAML_SYNTAX_ERROR, DROVER_YAML_READER_ERROR, DROVER_YAML_MEMORY_ERROR } drover_yaml_error_kind;

typedef struct {
  drover_yaml_error_kind kind;
  const char *problem;
  unsigned long offset;
  drover_yaml_mark mark;
  const char *context;
  drover_yaml_mark context_mark;
} drover_yaml_error;

/// A parser over bytes that must outlive it; NULL without memory.
drover_yaml_parser *drover_yaml_open(const unsigned char *bytes, unsigned long count);
/// Reads the next event. Returns 0 on an error, see drover_yaml_problem.
int drover_yaml_next(drover_yaml_parser *parser, drover_yaml_event *event);
drover_yaml_error drover_yaml_problem(const drover_yaml_parser *parser);
void drover_yaml_close(drover_yaml_parser *parser);

#endif
