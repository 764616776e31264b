"""Words for names that people can read out to each other: short, common, and harmless in any order."""

WORDS = tuple(
    """
acorn alder almond amber anchor apple apron arbor arrow aspen atlas autumn badge baker bamboo banjo barley barn basil
basin basket beach beacon beaver bell berry birch bison blade bloom board boat bonnet book boots bottle branch brass
bread breeze brick bridge brook broom bucket button cabin cable cactus camel candle canoe canyon carpet carrot castle
cedar cello chalk cheese cherry chess circle citrus clay cliff clock cloud clover coach coast cobalt cocoa comet copper
coral corner cotton cradle crane crayon creek cricket crown crystal cup curtain cushion daisy dance dawn deer desk
dolphin donkey door dragon drum dune eagle earth easel echo elm ember engine falcon farm feather fern field fig finch
flag flute forest fox garden garlic gate ginger glacier glass globe goose grape grass gravel grove guitar hammer harbor
harp hawk hazel hedge heron hill honey horse house indigo island ivory ivy jacket jasmine jelly jigsaw juniper kayak
kettle kite kiwi ladder lagoon lake lamp lantern larch laurel lawn leaf lemon lily linen lion lizard lobster locket
lotus lunar magnet mango maple marble marsh meadow melon mint mirror moon moose moss mountain mustard nest north nutmeg
oak oasis oat ocean olive onion orange orchard otter owl paddle panda paper park parrot pasta peach pear pebble pencil
penguin pepper piano pilot pine planet plum pond poplar prairie pumpkin quartz quill quilt rabbit raft rain raven reed
ribbon river robin rocket rose ruby saddle saffron sail salmon sand saturn scarf shell ship silver snow sparrow spoon
spring stone storm stream sugar sunset swan table tiger
""".split()  # noqa: SIM905 (a list of strings would be 260 lines)
)
