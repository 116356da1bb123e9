extension RubyProgram {
  /// What templates see (`reference/lifecycle.md` 4.1).
  static let context = #"""
    # What a template sees: the constants and methods that BOSH releases rely on, by the names that they know.

    class Object
      # As ActiveSupport has them: nothing, false, and what is empty are blank; a string of white space is blank too.
      def blank? = respond_to?(:empty?) ? !!empty? : !self
      def present? = !blank?
      def presence = present? ? self : nil
    end

    class String
      def blank? = match?(/\A[[:space:]]*\z/)
    end

    module Bosh
      module Common
        module Template
          class EvaluationFailed < StandardError; end

          class InvalidPropertyType < StandardError; end

          class UnknownProperty < StandardError
            attr_reader :name

            def initialize(name)
              @name = name
              super("Can't find property '#{name}'")
            end
          end

          class UnknownLink < StandardError
            def initialize(name)
              super("Can't find link '#{name}'")
            end
          end

          # Dotted names in nested hashes.
          module PropertyHelper
            def lookup_property(collection, name)
              return nil if collection.nil?

              name.split(".").reduce(collection) do |found, key|
                value = found[key]
                return nil if value.nil?

                value
              end
            end

            def copy_property(dst, src, name, default = nil)
              *parents, last = name.split(".")
              value = (parents + [last]).reduce(src) do |found, key|
                unless found.is_a?(Hash)
                  raise InvalidPropertyType, "Property '#{name}' expects a hash, but received '#{found.class}'"
                end
                break nil if found[key].nil?

                found[key]
              end
              parent = parents.reduce(dst) { |found, key| found[key] ||= {} }
              parent[last] = value.nil? ? default : value
            end
          end

          # p and if_p, over what lookup_source returns.
          module PropertyReader
            include PropertyHelper

            def p(*args)
              names = Array(args[0])
              names.each do |name|
                value = lookup_property(lookup_source, name)
                return value unless value.nil?
              end
              return args[1] if args.length == 2

              raise UnknownProperty, names
            end

            def if_p(*names)
              values = names.map do |name|
                value = lookup_property(lookup_source, name)
                return EvaluationContext::ActiveElseBlock.new(self) if value.nil?

                value
              end
              yield(*values)
              EvaluationContext::InactiveElseBlock.new
            end
          end

          class EvaluationLinkInstance
            include PropertyReader

            attr_reader :name, :index, :id, :az, :address, :properties, :bootstrap

            def initialize(instance)
              @name, @index, @id, @az, @address, @properties, @bootstrap =
                instance.values_at("name", "index", "id", "az", "address", "properties", "bootstrap")
            end

            private

            def lookup_source = @properties
          end

          class EvaluationLink
            include PropertyReader

            attr_reader :instances, :properties

            def initialize(link)
              @instances = link["instances"].map { |instance| EvaluationLinkInstance.new(instance) }
              @properties = link["properties"]
              @has_address = link.key?("address")
              @address = link["address"]
            end

            def address(_criteria = {})
              raise NotImplementedError, "link.address requires bosh director" unless @has_address

              @address
            end

            private

            def lookup_source = @properties
          end

          # Templates are evaluated with the binding of such an object; a method that a template defines becomes one of
          # this class, in the process of its own job.
          class EvaluationContext
            include PropertyReader

            attr_reader :name, :index, :properties, :raw_properties, :spec

            def initialize(spec)
              unless spec.is_a?(Hash)
                raise EvaluationFailed,
                      "Invalid spec provided for template evaluation context, Hash expected, #{spec.class} given"
              end
              @name = spec["name"]
              @index = spec["index"]
              @spec = openstruct(spec, BackCompatOpenStruct)
              @raw_properties = spec["properties"] || {}
              @properties = openstruct(@raw_properties)
              @links = spec["links"] || {}
            end

            def get_binding = binding

            def link(name)
              found = find_link(name)
              raise UnknownLink, name if found.nil?

              EvaluationLink.new(found)
            end

            def if_link(name)
              found = find_link(name)
              return ActiveElseBlock.new(self) if found.nil?

              yield EvaluationLink.new(found)
              InactiveElseBlock.new
            end

            private

            def lookup_source = @raw_properties

            def find_link(name)
              found = lookup_property(@links, name)
              found if found&.key?("instances")
            end

            def openstruct(object, type = OpenStruct)
              case object
              when Hash then type.new(object.transform_values { |value| openstruct(value, type) })
              when Array then object.map { |element| openstruct(element, type) }
              else object
              end
            end

            # spec.networks.methods(false) is an old way to list the networks.
            class BackCompatOpenStruct < OpenStruct
              def methods(regular = true) = regular ? super : marshal_dump.keys.map(&:to_sym)
            end

            # What if_p and if_link return when something was missing.
            class ActiveElseBlock
              def initialize(context)
                @context = context
              end

              def else = yield
              def else_if_p(*names, &block) = @context.if_p(*names, &block)
              def else_if_link(name, &block) = @context.if_link(name, &block)
            end

            # What if_p and if_link return when they have run their block.
            class InactiveElseBlock
              def else; end
              def else_if_p(*_names) = InactiveElseBlock.new
              def else_if_link(_name) = InactiveElseBlock.new
            end
          end
        end
      end

      Template = Common::Template
    end
    """#
}
