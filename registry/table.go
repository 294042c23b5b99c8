package registry

import "time"

// fact is what is known of one chain of the Superchain. The figures are those of
// superchain-registry at 8336d2a (2026-08-04); a chain that left it keeps what it
// had there: Base left on 2026-04-27, Swell and Arena-Z on 2026-05-26.
type fact struct {
	name, title, id string
	chainID         uint64
	blockTime       uint64 // seconds
	firstBlock      uint64 // the first after Bedrock: genesis.l2.number
	window          uint64 // seq_window_size, in blocks of L1
	rpc, explorer   string
	left            bool
}

// Superchain is the built-in table: mainnets by name, then testnets by name.
func Superchain() Networks {
	var out Networks
	for _, f := range mainnets() {
		n := f.network()
		n.Directory = n.Name
		out = append(out, n)
	}
	for _, f := range testnets() {
		n := f.network()
		n.Testnet = true
		out = append(out, n)
	}
	return out
}

func (f fact) network() Network {
	return Network{
		Name: f.name, Title: f.title, ID: f.id, ChainID: f.chainID,
		BlockTime: time.Duration(f.blockTime) * time.Second, FirstBlock: f.firstBlock, SequencingWindow: f.window,
		RPC: []string{f.rpc}, Explorer: f.explorer, Left: f.left,
	}
}

func mainnets() []fact {
	return []fact{
		{"arena_z", "Arena-Z", "mainnet/arena-z", 7897, 2, 0, 3600, "https://rpc.arena-z.gg", "https://explorer.arena-z.gg", true},
		{"automata", "Automata Mainnet", "mainnet/automata", 65536, 2, 0, 7200, "https://rpc.ata.network", "https://explorer.ata.network", false},
		{"base", "Base", "mainnet/base", 8453, 2, 0, 3600, "https://mainnet.base.org", "https://explorer.base.org", true},
		{"binary", "Binary Mainnet", "mainnet/tbn", 624, 2, 0, 3600, "https://rpc.zero.thebinaryholdings.com", "https://explorer.thebinaryholdings.com", false},
		{"bob", "BOB", "mainnet/bob", 60808, 2, 0, 3600, "https://rpc.gobob.xyz", "https://explorer.gobob.xyz", false},
		{"boba", "Boba Mainnet", "mainnet/boba", 288, 2, 1149019, 3600, "https://mainnet.boba.network", "https://bobascan.com", false},
		{"celo", "Celo", "mainnet/celo", 42220, 1, 31056500, 7200, "https://forno.celo.org", "https://celoscan.io/", false},
		{"cyber", "Cyber Mainnet", "mainnet/cyber", 7560, 2, 0, 3600, "https://rpc.cyber.co", "https://cyberscan.co/", false},
		{"ethernity", "Ethernity", "mainnet/ethernity", 183, 2, 0, 3600, "https://mainnet.ethernitychain.io", "https://ernscan.io", false},
		{"frax", "Fraxtal", "mainnet/fraxtal", 252, 2, 0, 3600, "https://rpc.frax.com", "https://fraxscan.com", false},
		{"funki", "Funki", "mainnet/funki", 33979, 2, 0, 8400, "https://rpc-mainnet.funkichain.com", "https://funki.superscan.network", false},
		{"hashkey", "HashKey Chain", "mainnet/hashkeychain", 177, 2, 0, 3600, "https://mainnet.hsk.xyz", "https://explorer.hsk.xyz", false},
		{"ink", "Ink", "mainnet/ink", 57073, 1, 0, 3600, "https://rpc-gel.inkonchain.com", "https://explorer.inkonchain.com", false},
		{"lisk", "Lisk", "mainnet/lisk", 1135, 2, 0, 3600, "https://rpc.api.lisk.com", "https://blockscout.lisk.com", false},
		{"lyra", "Lyra Chain", "mainnet/lyra", 957, 2, 0, 3600, "https://rpc.lyra.finance", "https://explorer.lyra.finance", false},
		{"metal", "Metal L2", "mainnet/metal", 1750, 2, 0, 3600, "https://rpc.metall2.com", "https://explorer.metall2.com", false},
		{"mint", "Mint Mainnet", "mainnet/mint", 185, 2, 0, 3600, "https://rpc.mintchain.io", "https://explorer.mintchain.io", false},
		{"mode", "Mode", "mainnet/mode", 34443, 2, 0, 3600, "https://mainnet.mode.network", "https://explorer.mode.network", false},
		{"optimism", "OP Mainnet", "mainnet/op", 10, 2, 105235063, 3600, "https://mainnet.optimism.io", "https://explorer.optimism.io", false},
		{"orderly", "Orderly Mainnet", "mainnet/orderly", 291, 2, 0, 3600, "https://rpc.orderly.network", "https://explorer.orderly.network", false},
		{"pgn", "PGN (Public Goods Network)", "mainnet/pgn", 424, 2, 0, 3600, "https://rpc.publicgoods.network", "https://explorer.publicgoods.network", true},
		{"polynomial", "Polynomial", "mainnet/polynomial", 8008, 2, 0, 3600, "https://rpc.polynomial.fi", "https://polynomialscan.io", false},
		{"race", "RACE Mainnet", "mainnet/race", 6805, 2, 0, 3600, "https://racemainnet.io", "https://racescan.io/", false},
		{"redstone", "Redstone", "mainnet/redstone", 690, 2, 0, 3600, "https://rpc.redstonechain.com", "https://explorer.redstone.xyz", false},
		{"settlus", "Settlus Mainnet", "mainnet/settlus-mainnet", 5371, 1, 0, 3600, "https://settlus-mainnet.g.alchemy.com/public", "mainnet.settlus.network", false},
		{"shape", "Shape", "mainnet/shape", 360, 2, 0, 3600, "https://mainnet.shape.network/", "https://shape-mainnet.explorer.alchemy.com/", false},
		{"silent_data", "Silent Data Mainnet", "mainnet/silent-data-mainnet", 380929, 2, 0, 3600, "https://mainnet.silentdata.com/${SILENTDATA_AUTH_TOKEN}", "https://explorer-mainnet.rollup.silentdata.com", false},
		{"snax", "SnaxChain", "mainnet/snax", 2192, 2, 0, 3600, "https://mainnet.snaxchain.io", "https://explorer.snaxchain.io", true},
		{"soneium", "Soneium", "mainnet/soneium", 1868, 2, 0, 3600, "https://rpc.soneium.org", "https://soneium.blockscout.com/", false},
		{"superlumio", "SuperLumio", "mainnet/superlumio", 8866, 2, 0, 3600, "https://mainnet.lumio.io", "https://explorer.lumio.io", true},
		{"superseed", "Superseed", "mainnet/sseed", 5330, 2, 0, 3600, "https://mainnet.superseed.xyz", "https://explorer.superseed.xyz", false},
		{"swan", "Swan Chain Mainnet", "mainnet/swan", 254, 5, 0, 3600, "https://mainnet-rpc.swanchain.org", "https://swanscan.io", false},
		{"swell", "Swellchain", "mainnet/swell", 1923, 2, 0, 3600, "https://swell-mainnet.alt.technology", "https://explorer.swellnetwork.io", true},
		{"unichain", "Unichain", "mainnet/unichain", 130, 1, 0, 3600, "https://mainnet.unichain.org", "https://explorer.unichain.org", false},
		{"worldchain", "World Chain", "mainnet/worldchain", 480, 2, 0, 3600, "https://worldchain-mainnet.g.alchemy.com/public", "https://worldchain-mainnet.explorer.alchemy.com/", false},
		{"xterio", "Xterio Chain (ETH)", "mainnet/xterio-eth", 2702128, 2, 0, 3600, "https://xterio-eth.alt.technology/", "https://eth.xterscan.io/", false},
		{"zora", "Zora", "mainnet/zora", 7777777, 2, 0, 3600, "https://rpc.zora.energy", "https://explorer.zora.energy", false},
	}
}

func testnets() []fact {
	return []fact{
		{"arena_z_sepolia", "Arena-Z Testnet", "sepolia/arena-z", 9899, 2, 0, 3600, "https://testnet-rpc.arena-z.gg", "https://testnet-explorer.arena-z.gg", true},
		{"base_sepolia", "Base Sepolia Testnet", "sepolia/base", 84532, 2, 0, 3600, "https://sepolia.base.org", "https://sepolia-explorer.base.org", true},
		{"binary_sepolia", "Binary Sepolia", "sepolia/tbn", 625, 2, 0, 3600, "https://rpc.testnet.thebinaryholdings.com", "https://explorer.sepolia.thebinaryholdings.com", false},
		{"boba_sepolia", "Boba Sepolia Testnet", "sepolia/boba", 28882, 2, 511, 3600, "https://sepolia.boba.network", "https://testnet.bobascan.com", false},
		{"camp_sepolia", "Camp Network Testnet V2", "sepolia/camp", 325000, 2, 0, 3600, "https://rpc.camp-network-testnet.gelato.digital", "https://camp-network-testnet.blockscout.com", false},
		{"celo_sepolia", "Celo Sepolia Testnet", "sepolia/celo-sep", 11142220, 1, 0, 7200, "https://forno.celo-sepolia.celo-testnet.org", "https://celo-sepolia.blockscout.com", false},
		{"creator_chain_sepolia", "Creator Chain Testnet", "sepolia/creator-chain-testnet", 66665, 2, 0, 3600, "https://rpc.creatorchain.io", "https://explorer.creatorchain.io", true},
		{"cyber_sepolia", "Cyber Testnet", "sepolia/cyber", 111557560, 10, 0, 3600, "https://rpc.testnet.cyber.co", "https://testnet.cyberscan.co/", false},
		{"ethernity_sepolia", "Ethernity Testnet", "sepolia/ethernity", 233, 2, 0, 3600, "https://testnet.ethernitychain.io", "https://testnet.ernscan.io", true},
		{"funki_sepolia", "Funki Sepolia Testnet", "sepolia/funki", 3397901, 2, 0, 28800, "https://funki-testnet.alt.technology", "https://sepolia-sandbox.funkichain.com/", false},
		{"ink_sepolia", "Ink Sepolia", "sepolia/ink", 763373, 1, 0, 3600, "https://rpc-gel-sepolia.inkonchain.com", "https://explorer-sepolia.inkonchain.com", false},
		{"lisk_sepolia", "Lisk Sepolia Testnet", "sepolia/lisk", 4202, 2, 0, 3600, "https://rpc.sepolia-api.lisk.com", "https://sepolia-blockscout.lisk.com", false},
		{"metal_sepolia", "Metal L2 Testnet", "sepolia/metal", 1740, 2, 0, 3600, "https://testnet.rpc.metall2.com", "https://testnet.explorer.metall2.com", false},
		{"mode_sepolia", "Mode Testnet", "sepolia/mode", 919, 2, 0, 3600, "https://sepolia.mode.network", "https://sepolia.explorer.mode.network", false},
		{"optimism_sepolia", "OP Sepolia Testnet", "sepolia/op", 11155420, 2, 0, 3600, "https://sepolia.optimism.io", "https://testnet-explorer.optimism.io", false},
		{"ozean_sepolia", "Ozean Poseidon Testnet", "sepolia/ozean", 7849306, 2, 0, 21600, "https://ozean-testnet.rpc.caldera.xyz/http", "https://ozean-testnet.explorer.caldera.xyz", false},
		{"pgn_sepolia", "Sepolia PGN (Public Goods Network)", "sepolia/pgn", 58008, 2, 0, 3600, "https://sepolia.publicgoods.network", "https://explorer.sepolia.publicgoods.network", true},
		{"pivotal_sepolia", "Pivotal Sepolia", "sepolia/pivotal", 16481, 2, 0, 3600, "https://sepolia.pivotalprotocol.com/", "https://sepolia.pivotalscan.org/", false},
		{"race_sepolia", "RACE Testnet", "sepolia/race", 6806, 2, 0, 3600, "https://racetestnet.io", "https://testnet.racescan.io/", false},
		{"radius_sepolia", "Radius testnet", "sepolia/radius_testnet", 863, 2, 0, 3600, "testnet-rpc.theradius.xyz", "https://testnet-rpc.theradius.xyz/", false},
		{"sepolia_devnet_2", "sepolia-devnet-2", "sepolia-devnet-2/sepolia-devnet-2", 420130015, 2, 0, 3600, "https://sepolia-devnet-2.optimism.io/rpc", "", false},
		{"settlus_sepolia", "Settlus Sepolia", "sepolia/settlus-sepolia", 5373, 1, 0, 3600, "https://settlus-septestnet.g.alchemy.com/public", "sepolia.settlus.network", false},
		{"shape_sepolia", "Shape Sepolia Testnet", "sepolia/shape", 11011, 2, 0, 3600, "https://sepolia.shape.network/", "https://shape-sepolia.explorer.alchemy.com/", false},
		{"soneium_sepolia", "Soneium Testnet Minato", "sepolia/soneium-minato", 1946, 2, 0, 3600, "https://rpc.minato.soneium.org", "https://soneium-minato.blockscout.com/", false},
		{"swell_sepolia", "Swellchain Testnet", "sepolia/swell", 1924, 2, 0, 3600, "https://swell-testnet.alt.technology", "https://swell-testnet-explorer.alt.technology", true},
		{"unichain_sepolia", "Unichain Sepolia Testnet", "sepolia/unichain", 1301, 1, 0, 3600, "https://sepolia.unichain.org", "https://sepolia.uniscan.xyz", false},
		{"worldchain_sepolia", "World Chain Sepolia Testnet", "sepolia/worldchain", 4801, 2, 0, 3600, "https://worldchain-sepolia.g.alchemy.com/public", "https://worldchain-sepolia.explorer.alchemy.com/", false},
		{"zora_sepolia", "Zora Sepolia Testnet", "sepolia/zora", 999999999, 2, 0, 3600, "https://sepolia.rpc.zora.energy", "https://sepolia.explorer.zora.energy", false},
	}
}
