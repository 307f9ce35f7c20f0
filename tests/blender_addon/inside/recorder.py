"""A layout that draws nothing and keeps what it was told: what a panel shows can be asserted, without a window."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import bpy
from scenes import addon


@dataclass
class Item:
    """kind: label, prop, operator, menu or progress.
    name: of the property or the operator.
    enabled, alert: by itself or by what it lies in.
    properties: what an operator is given.
    """

    kind: str
    text: str = ""
    name: str = ""
    icon: str = "NONE"
    enabled: bool = True
    alert: bool = False
    factor: float = 0.0
    properties: dict = field(default_factory=dict)


class Layout:
    """Stands for a ``bpy.types.UILayout``. What it does not know it refuses, as Blender does."""

    def __init__(self, items=None, around=None):
        self._items = [] if items is None else items
        self._around = around
        self.enabled = self.active = True
        self.alert = self.use_property_split = False
        self.use_property_decorate = True
        self.scale_x = self.scale_y = 1.0
        self.ui_units_x = 0.0
        self.alignment, self.operator_context = "EXPAND", "INVOKE_DEFAULT"

    def _within(self, **_how):
        return Layout(self._items, self)

    row = column = box = split = column_flow = grid_flow = _within

    def _all(self, name):
        return getattr(self, name) and (self._around is None or self._around._all(name))

    def _any(self, name):
        return getattr(self, name) or (self._around is not None and self._around._any(name))

    def _add(self, kind, text, **more):
        found = Item(kind, text, enabled=self._all("enabled"), alert=self._any("alert"), **more)
        assert found.icon in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items, found.icon
        self._items.append(found)
        return found

    def label(self, *, text="", icon="NONE"):
        self._add("label", text, icon=icon)

    def prop(self, data, name, *, text=None, icon="NONE", slider=False, expand=False, placeholder="", emboss=True):
        rule = data.bl_rna.properties[name]
        self._add("prop", rule.name if text is None else text or placeholder, name=name, icon=icon)

    def operator(self, name, *, text=None, icon="NONE", emboss=True, depress=False):
        module, function = name.split(".")
        rna = getattr(getattr(bpy.ops, module), function).get_rna_type()
        given = SimpleNamespace()
        self._add("operator", rna.name if text is None else text, name=name, icon=icon, properties=given.__dict__)
        known = set(rna.properties.keys())
        return _Given(given.__dict__, known)

    def menu(self, name, *, text="", icon="NONE"):
        assert hasattr(bpy.types, name), name
        self._add("menu", text, name=name, icon=icon)

    def template_list(self, kind, _id, data, collection, active, index, *, rows, maxrows):
        """Every item that the list shows, in its order."""
        drawn = getattr(bpy.types, kind)
        chosen = SimpleNamespace(bitflag_filter_item=1)
        flags, order = drawn.filter_items(chosen, bpy.context, data, collection)
        items = getattr(data, collection)
        assert rows <= maxrows and len(flags) == len(order) == len(items)
        for place in sorted(range(len(items)), key=lambda i: order[i]):
            if flags[place]:
                shown = getattr(active, index) == place
                drawn.draw_item(chosen, bpy.context, self._within(), data, items[place], 0, active, index, place)
                self._items[-1].icon = "CHECKMARK" if shown else "NONE"

    def progress(self, *, text="", factor=0.0, type="BAR"):
        assert 0.0 <= factor <= 1.0
        self._add("progress", text, factor=factor)

    def separator(self, **_how):
        pass


class _Given:
    """The properties of a button's operator."""

    def __init__(self, values, known):
        self.__dict__.update(_values=values, _known=known)

    def __setattr__(self, name, value):
        assert name in self._known, name
        self._values[name] = value


def draw(function, context=None) -> list[Item]:
    """What a panel's or a header's draw function shows."""
    layout = Layout()
    function(SimpleNamespace(layout=layout), context or bpy.context)
    return layout._items


def shown(space="VIEW_3D") -> list[Item]:
    """All that Footlight's panels show in an editor's side bar, closed ones too."""
    return [item for cls in addon("panels.main").CLASSES if cls.bl_space_type == space for item in draw(cls.draw)]
