// Defines a GStreamer element in C++: a GObject class whose instances own one C++ State.
//
// (GObject's own macro does the same with casts that our warnings refuse.)
#pragma once

#include <gst/gst.h>

#include <memory>

namespace pytoon::media {

// Parent and ParentClass: the structs of the GStreamer base class, such as GstPushSrc.
template <typename Parent, typename ParentClass, typename State>
class ElementType {
 public:
  // Registers the class; call once per type. SetUpClass fills in the virtual functions and the pad
  // templates, SetUp finishes a new instance whose state is made.
  template <void (*SetUpClass)(GstElementClass*), void (*SetUp)(Parent*)>
  static GType define(const char* name, GType parent) {
    const GClassInitFunc class_init = [](gpointer type, gpointer) {
      G_OBJECT_CLASS(type)->finalize = finalize;
      SetUpClass(GST_ELEMENT_CLASS(type));
    };
    const GInstanceInitFunc init = [](GTypeInstance* instance, gpointer) {
      reinterpret_cast<Instance*>(instance)->state = std::make_unique<State>().release();
      SetUp(reinterpret_cast<Parent*>(instance));
    };
    return g_type_register_static_simple(parent, name, sizeof(ParentClass), class_init,
                                         sizeof(Instance), init, GTypeFlags{});
  }

  static State& state_of(gpointer instance) { return *static_cast<Instance*>(instance)->state; }

  // The virtual functions of the base class, to call on.
  static ParentClass* parent_class(gpointer instance) {
    return static_cast<ParentClass*>(g_type_class_peek_parent(G_OBJECT_GET_CLASS(instance)));
  }

 private:
  struct Instance {
    Parent parent;
    State* state;
  };

  static void finalize(GObject* object) {
    const std::unique_ptr<State> owned(&state_of(object));
    G_OBJECT_CLASS(parent_class(object))->finalize(object);
  }
};

// Adds a pad template whose caps are written as text.
inline void add_pad_template(GstElementClass* type, const char* name, GstPadDirection direction,
                             GstPadPresence presence, const char* format) {
  GstCaps* caps = gst_caps_from_string(format);
  gst_element_class_add_pad_template(type, gst_pad_template_new(name, direction, presence, caps));
  gst_caps_unref(caps);
}

}  // namespace pytoon::media
