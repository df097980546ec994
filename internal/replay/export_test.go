package replay

// Shifted is shifted.
var Shifted = shifted
